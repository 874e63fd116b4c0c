"""What the columns of a table show of a record. Measured with django-tables2 2.7 and 3.0."""

from ormlint.intrinsics import is_unset, show


class Column:
    def __init__(self, verbose_name=None, accessor=None, default=None, visible=True, linkify=False, **kwargs):
        self.accessor = accessor
        self.visible = visible
        self.linkify = linkify

    def render(self, value):
        return value


class BooleanColumn(Column):
    pass


class CheckBoxColumn(Column):
    pass


class DateColumn(Column):
    pass


class DateTimeColumn(Column):
    pass


class EmailColumn(Column):
    pass


class FileColumn(Column):
    pass


class JSONColumn(Column):
    pass


class TimeColumn(Column):
    pass


class URLColumn(Column):
    pass


class LinkColumn(Column):
    def __init__(self, viewname=None, urlconf=None, args=None, kwargs=None, current_app=None, attrs=None, **extra):
        super().__init__(linkify=[args, kwargs], **extra)


class ManyToManyColumn(Column):
    def __init__(self, transform=None, filter=None, separator=", ", linkify_item=None, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.given_transform = transform
        self.given_filter = filter

    def transform(self, obj):
        return str(obj)

    def filter(self, qs):
        return qs.all()

    def render(self, value):
        if not value.exists():
            return
        items = self.filter(value) if is_unset(self.given_filter) else self.given_filter(value)
        for item in items:
            if is_unset(self.given_transform):
                self.transform(item)
            else:
                str(self.given_transform(item))


class TemplateColumn(Column):
    def __init__(self, template_code=None, template_name=None, context_object_name=None, extra_context=None, **kwargs):
        super().__init__(**kwargs)
        if not is_unset(template_code):
            self.template_code = template_code
        if not is_unset(template_name):
            self.template_name = template_name
        self.extra_context = extra_context

    def render(self, record, table, value, bound_column, **kwargs):
        context = {"record": record, "value": value, "column": bound_column}
        context.update(self.extra_context)
        show(self.template_name, context)
