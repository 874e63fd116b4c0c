from django_tables2.columns import (
    BooleanColumn,
    CheckBoxColumn,
    Column,
    DateColumn,
    DateTimeColumn,
    EmailColumn,
    FileColumn,
    JSONColumn,
    LinkColumn,
    ManyToManyColumn,
    TemplateColumn,
    TimeColumn,
    URLColumn,
)
from django_tables2.config import RequestConfig
from django_tables2.tables import Table
from django_tables2.utils import A
from django_tables2.views import MultiTableMixin, SingleTableMixin, SingleTableView
