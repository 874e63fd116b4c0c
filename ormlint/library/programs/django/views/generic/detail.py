from django.views.generic.base import ContextMixin, TemplateResponseMixin, View

from ormlint.intrinsics import is_unset, model_name, template_of


class SingleObjectMixin(ContextMixin):
    model = None
    queryset = None
    slug_field = "slug"
    context_object_name = None

    def get_object(self, queryset=None):
        if is_unset(queryset):
            queryset = self.get_queryset()
        return queryset.get(pk=self.kwargs.get("pk"))

    def get_queryset(self):
        if is_unset(self.queryset):
            return self.model._default_manager.all()
        return self.queryset.all()

    def get_context_object_name(self, obj):
        if is_unset(self.context_object_name):
            return model_name(obj, "")
        return self.context_object_name

    def get_context_data(self, **kwargs):
        context = {"object": self.object}
        context_object_name = self.get_context_object_name(self.object)
        if not is_unset(context_object_name):
            context[context_object_name] = self.object
        context.update(kwargs)
        return super().get_context_data(**context)


class BaseDetailView(SingleObjectMixin, View):
    def get(self, request, *args, **kwargs):
        self.object = self.get_object()
        context = self.get_context_data(object=self.object)
        return self.render_to_response(context)


class SingleObjectTemplateResponseMixin(TemplateResponseMixin):
    template_name_suffix = "_detail"

    def get_template_names(self):
        named = self.model if is_unset(self.object) else self.object
        return [*super().get_template_names(), template_of(named, self.template_name_suffix)]


class DetailView(SingleObjectTemplateResponseMixin, BaseDetailView):
    pass
