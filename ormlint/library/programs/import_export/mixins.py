"""Which resource exports what. Measured with django-import-export 4.4."""

from ormlint.intrinsics import is_unset


class BaseImportExportMixin:
    resource_class = None
    resource_classes = ()

    def get_resource_classes(self, request):
        if not is_unset(self.resource_classes):
            return self.resource_classes
        if not is_unset(self.resource_class):
            return [self.resource_class]
        return []


class BaseImportMixin(BaseImportExportMixin):
    pass


class BaseExportMixin(BaseImportExportMixin):
    def get_export_resource_classes(self, request):
        return self.get_resource_classes(request)

    def get_export_resource_kwargs(self, request, **kwargs):
        return {}

    def get_data_for_export(self, request, queryset, **kwargs):
        export_kwargs = self.get_export_resource_kwargs(request)
        for export_class in self.get_export_resource_classes(request):
            export_class(**export_kwargs).export(queryset)
