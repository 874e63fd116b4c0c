from django.core.paginator import Paginator
from django.views.generic.base import ContextMixin, TemplateResponseMixin, View

from ormlint.intrinsics import is_unset, model_name, template_of


class MultipleObjectMixin(ContextMixin):
    allow_empty = True
    queryset = None
    model = None
    paginate_by = None
    paginate_orphans = 0
    context_object_name = None
    paginator_class = Paginator
    ordering = None

    def get_queryset(self):
        queryset = self.model._default_manager.all() if is_unset(self.queryset) else self.queryset.all()
        ordering = self.get_ordering()
        if ordering:
            queryset = queryset.order_by(ordering)
        return queryset

    def get_ordering(self):
        return self.ordering

    def paginate_queryset(self, queryset, page_size):
        paginator = self.get_paginator(queryset, page_size)
        page = paginator.page(self.kwargs.get("page"))
        return (paginator, page, page.object_list, page.has_other_pages())

    def get_paginate_by(self, queryset):
        return self.paginate_by

    def get_paginator(self, queryset, per_page, orphans=0, allow_empty_first_page=True, **kwargs):
        return self.paginator_class(queryset, per_page)

    def get_allow_empty(self):
        return self.allow_empty

    def get_context_object_name(self, object_list):
        if is_unset(self.context_object_name):
            return model_name(object_list, "_list")
        return self.context_object_name

    def get_context_data(self, *, object_list=None, **kwargs):
        queryset = self.object_list if is_unset(object_list) else object_list
        page_size = self.get_paginate_by(queryset)
        if is_unset(page_size):
            context = {"object_list": queryset}
        else:
            paginator, page, queryset, is_paginated = self.paginate_queryset(queryset, page_size)
            context = {"paginator": paginator, "page_obj": page, "is_paginated": is_paginated, "object_list": queryset}
        context_object_name = self.get_context_object_name(queryset)
        if not is_unset(context_object_name):
            context[context_object_name] = queryset
        context.update(kwargs)
        return super().get_context_data(**context)


class BaseListView(MultipleObjectMixin, View):
    def get(self, request, *args, **kwargs):
        self.object_list = self.get_queryset()
        context = self.get_context_data()
        return self.render_to_response(context)


class MultipleObjectTemplateResponseMixin(TemplateResponseMixin):
    template_name_suffix = "_list"

    def get_template_names(self):
        return [*super().get_template_names(), template_of(self.object_list, self.template_name_suffix)]


class ListView(MultipleObjectTemplateResponseMixin, BaseListView):
    pass
