"""The list of an admin: which relations it loads by itself. Measured with Django 4.2 and 5.2; 6.1 follows its source."""

from ormlint.intrinsics import at_least, foreign_keys, is_joined, is_unset


class ChangeList:
    def __init__(
        self,
        request,
        model,
        list_display,
        list_display_links,
        list_filter,
        date_hierarchy,
        search_fields,
        list_select_related,
        list_per_page,
        list_max_show_all,
        list_editable,
        model_admin,
        sortable_by,
        search_help_text,
    ):
        self.model = model
        self.root_queryset = model_admin.get_queryset(request)
        self.list_display = list_display
        self.list_select_related = list_select_related
        self.list_per_page = list_per_page
        self.list_editable = list_editable
        self.model_admin = model_admin
        self.query = request.GET
        self.queryset = self.get_queryset(request)
        self.get_results(request)

    def get_queryset(self, request, exclude_parameters=None):
        qs, _ = self.model_admin.get_search_results(request, self.root_queryset, self.query)
        if not is_joined(qs):
            qs = self.apply_select_related(qs)
        return qs

    def apply_select_related(self, qs):
        if self.list_select_related is True:
            return qs.select_related()
        if self.list_select_related is False:
            if at_least("django", 6, 1):
                return qs.select_related(*foreign_keys(self.model, self.list_display))
            if self.has_related_field_in_list_display():
                return qs.select_related()
        if not is_unset(self.list_select_related):
            return qs.select_related(*self.list_select_related)
        return qs

    def has_related_field_in_list_display(self):
        return not is_unset(foreign_keys(self.model, self.list_display))

    def get_results(self, request):
        paginator = self.model_admin.get_paginator(request, self.queryset.order_by("-pk"), self.list_per_page)
        self.result_list = paginator.page(1).object_list
