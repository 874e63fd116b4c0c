from django.views.generic.list import ListView

from django_tables2.config import RequestConfig
from ormlint.intrinsics import is_unset


class TableMixinBase:
    context_table_name = "table"
    table_pagination = None

    def get_context_table_name(self, table):
        return self.context_table_name

    def get_table_pagination(self, table):
        return self.table_pagination is not False


class SingleTableMixin(TableMixinBase):
    table_class = None
    table_data = None

    def get_table_class(self):
        return self.table_class

    def get_table(self, **kwargs):
        table_class = self.get_table_class()
        table = table_class(data=self.get_table_data(), **kwargs)
        return RequestConfig(self.request, paginate=self.get_table_pagination(table)).configure(table)

    def get_table_data(self):
        if not is_unset(self.table_data):
            return self.table_data
        if hasattr(self, "object_list"):
            return self.object_list
        return self.get_queryset()

    def get_table_kwargs(self):
        return {}

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        table = self.get_table(**self.get_table_kwargs())
        context[self.get_context_table_name(table)] = table
        return context


class SingleTableView(SingleTableMixin, ListView):
    pass


class MultiTableMixin(TableMixinBase):
    tables = None
    tables_data = None
    context_table_name = "tables"

    def get_tables(self):
        return self.tables

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        tables = self.get_tables()
        for table in tables:
            RequestConfig(self.request, paginate=self.get_table_pagination(table)).configure(table)
        context[self.get_context_table_name(tables)] = tables
        return context
