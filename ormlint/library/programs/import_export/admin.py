from django.contrib import admin

from import_export.mixins import BaseExportMixin, BaseImportMixin


class ImportExportMixinBase:
    pass


class ImportMixin(BaseImportMixin, ImportExportMixinBase):
    pass


class ExportMixin(BaseExportMixin, ImportExportMixinBase):
    def get_export_queryset(self, request):
        return self.get_changelist_instance(request).queryset

    def get_export_data(self, file_format, request, queryset, **kwargs):
        return self.get_data_for_export(request, queryset)

    def export_action(self, request):
        queryset = self.get_export_queryset(request)
        return self.get_export_data(None, request, queryset)


class ImportExportMixin(ImportMixin, ExportMixin):
    pass


class ImportExportModelAdmin(ImportExportMixin, admin.ModelAdmin):
    pass


class ExportActionMixin(ExportMixin):
    pass


class ExportActionModelAdmin(ExportActionMixin, admin.ModelAdmin):
    pass


class ImportExportActionModelAdmin(ImportMixin, ExportActionModelAdmin):
    pass
