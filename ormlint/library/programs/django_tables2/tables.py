"""A table shows every column of every record. Measured with django-tables2 2.7 and 3.0."""

from django.core.paginator import Page

from django_tables2.data import TableData
from django_tables2.rows import BoundRows
from ormlint.intrinsics import is_set, is_unset, is_whole_template, ordered, show, show_block


class Table:
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, data=None, order_by=None, orderable=None, empty_text=None, exclude=None, template_name=None, **kwargs):
        self.data = TableData(data)
        self.shown = data
        self.order_by = self.Meta.order_by if is_unset(order_by) else order_by
        self.exclude = exclude
        self.template_name = self.Meta.template_name if is_unset(template_name) else template_name
        self.page = None
        self.rows = BoundRows(self.data, self)

    def paginate(self, paginator_class=None, per_page=None, page=1, *args, **kwargs):
        rows = ordered(self.data.data) if is_set(self.order_by) else self.data.data
        self.shown = rows[0:25] if is_unset(per_page) else rows[0:per_page]
        self.page = Page(BoundRows(TableData(self.shown), self), page, None)

    @property
    def paginated_rows(self):
        return self.rows if is_unset(self.page) else self.page.object_list

    def before_render(self, request):
        pass

    def as_html(self, request):
        self.before_render(request)
        if not is_whole_template(self.template_name):
            for row in self.paginated_rows:
                row.items()
                show_block(self.template_name, "table.tbody.row", {"table": self, "row": row})
        show(self.template_name, {"table": self})
