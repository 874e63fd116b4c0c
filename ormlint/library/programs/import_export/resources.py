"""A resource shows every field of every row that it exports. Measured with django-import-export 4.4."""

from import_export.fields import Field
from import_export.widgets import ManyToManyWidget
from ormlint.intrinsics import is_unset, represent, represent_each


class Resource:
    def __init__(self, **kwargs):
        pass

    def before_export(self, queryset, **kwargs):
        pass

    def after_export(self, queryset, dataset, **kwargs):
        pass

    def filter_export(self, queryset, **kwargs):
        return queryset

    def iter_queryset(self, queryset):
        return queryset

    def export_resource(self, instance, selected_fields=None, **kwargs):
        return represent(self, instance)

    def export(self, queryset=None, **kwargs):
        self.before_export(queryset, **kwargs)
        rows = self.get_queryset() if is_unset(queryset) else queryset
        rows = self.filter_export(rows, **kwargs)
        return represent_each(self, self.iter_queryset(rows))


class ModelResource(Resource):
    def get_queryset(self):
        return self._meta.model.objects.all()
