"""What a ModelAdmin does for the pages that show rows. Measured with Django 4.2 and 5.2."""

from django.core.paginator import Paginator

from ormlint.intrinsics import is_unset


class BaseModelAdmin:
    autocomplete_fields = ()
    raw_id_fields = ()
    fields = None
    exclude = None
    fieldsets = None
    readonly_fields = ()
    ordering = None

    def get_queryset(self, request):
        qs = self.model._default_manager.get_queryset()
        ordering = self.get_ordering(request)
        if not is_unset(ordering):
            qs = qs.order_by(*ordering)
        return qs

    def get_ordering(self, request):
        return self.ordering

    def get_readonly_fields(self, request, obj=None):
        return self.readonly_fields

    def get_autocomplete_fields(self, request):
        return self.autocomplete_fields


class ModelAdmin(BaseModelAdmin):
    list_display = ("__str__",)
    list_display_links = ()
    list_filter = ()
    list_select_related = False
    list_per_page = 100
    list_max_show_all = 200
    list_editable = ()
    search_fields = ()
    date_hierarchy = None
    paginator = Paginator
    inlines = ()
    actions = ()
    sortable_by = None
    search_help_text = None

    def get_list_display(self, request):
        return self.list_display

    def get_list_display_links(self, request, list_display):
        return self.list_display_links

    def get_list_filter(self, request):
        return self.list_filter

    def get_list_select_related(self, request):
        return self.list_select_related

    def get_search_fields(self, request):
        return self.search_fields

    def get_search_results(self, request, queryset, search_term):
        return queryset, False

    def get_sortable_by(self, request):
        return self.sortable_by

    def get_changelist(self, request, **kwargs):
        from django.contrib.admin.views.main import ChangeList

        return ChangeList

    def get_changelist_instance(self, request):
        list_display = self.get_list_display(request)
        return self.get_changelist(request)(
            request,
            self.model,
            list_display,
            self.get_list_display_links(request, list_display),
            self.get_list_filter(request),
            self.date_hierarchy,
            self.get_search_fields(request),
            self.get_list_select_related(request),
            self.list_per_page,
            self.list_max_show_all,
            self.list_editable,
            self,
            self.get_sortable_by(request),
            self.search_help_text,
        )

    def get_paginator(self, request, queryset, per_page, orphans=0, allow_empty_first_page=True):
        return self.paginator(queryset, per_page, orphans, allow_empty_first_page)

    def has_delete_permission(self, request, obj=None):
        return request.user.has_perm("delete")

    def get_actions(self, request):
        if self.actions is None:
            return None
        if is_unset(self.actions) and (is_unset(self.admin_site.actions) or is_unset(self.has_delete_permission(request))):
            return None
        return self.admin_site.actions

    def action_checkbox(self, obj):
        return str(obj)


class InlineModelAdmin(BaseModelAdmin):
    model = None
    fk_name = None


class StackedInline(InlineModelAdmin):
    pass


class TabularInline(InlineModelAdmin):
    pass
