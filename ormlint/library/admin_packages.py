"""Packages with admin classes whose lists are those of Django: they change pages, imports or forms, not what a list loads."""

LEAVE_LISTS_ALONE = frozenset({
    "admin_auto_filters", "admin_cursor_paginator", "admin_extra_buttons", "admin_numeric_filter", "adminfilters", "adminsortable", "adminsortable2",
    "ajax_select", "constance", "django_admin_inline_paginator", "django_admin_listfilter_dropdown", "django_admin_multiple_choice_list_filter",
    "django_ace", "django_ckeditor_5", "django_extensions", "django_fsm", "django_json_widget", "django_object_actions", "django_summernote",
    "djangoql", "fsm_admin", "hijack", "import_export", "jazzmin", "jsoneditor", "leaflet", "markdownx", "massadmin", "modeltranslation",
    "nested_admin", "nested_inline", "no_queryset_cache", "prettyjson", "rangefilter", "reversion", "reversion_compare", "simple_history",
    "solo", "suit", "tinymce", "unfold",
})  # fmt: skip

LISTLESS = ("SingletonModelAdmin",)
"""Admin classes of a table with one row, whose page is that of the row: django-solo."""
