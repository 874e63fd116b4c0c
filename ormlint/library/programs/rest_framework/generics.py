from rest_framework import mixins, views
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings

from ormlint.intrinsics import is_known, is_set, is_unset, ordered


class GenericAPIView(views.APIView):
    queryset = None
    serializer_class = None
    lookup_field = "pk"
    filter_backends = ()
    pagination_class = api_settings.DEFAULT_PAGINATION_CLASS

    def get_queryset(self):
        return self.queryset.all()

    def get_object(self):
        queryset = self.filter_queryset(self.get_queryset())
        return queryset.get(pk=self.kwargs.get("pk"))

    def get_serializer(self, *args, **kwargs):
        serializer_class = self.get_serializer_class()
        if is_known(serializer_class):
            return serializer_class(*args, **kwargs)
        return BaseSerializer(*args, **kwargs)

    def get_serializer_class(self):
        return self.serializer_class

    def filter_queryset(self, queryset):
        ordering = getattr(self, "ordering", None)
        return queryset.order_by(ordering) if is_set(ordering) else queryset

    @property
    def paginator(self):
        if is_unset(self.pagination_class):
            return None
        return self.pagination_class()

    def paginate_queryset(self, queryset):
        paginator = self.paginator
        if is_unset(paginator):
            return None
        page = paginator.paginate_queryset(queryset, self.request, view=self)
        if is_unset(page):
            return None
        if is_set(page):
            return list(page)
        return list(ordered(queryset)[0 : paginator.page_size])  # a pagination of another package may order them itself

    def get_paginated_response(self, data):
        return self.paginator.get_paginated_response(data)


class ListAPIView(mixins.ListModelMixin, GenericAPIView):
    def get(self, request, *args, **kwargs):
        return self.list(request, *args, **kwargs)


class CreateAPIView(mixins.CreateModelMixin, GenericAPIView):
    pass


class RetrieveAPIView(mixins.RetrieveModelMixin, GenericAPIView):
    def get(self, request, *args, **kwargs):
        return self.retrieve(request, *args, **kwargs)


class DestroyAPIView(mixins.DestroyModelMixin, GenericAPIView):
    pass


class UpdateAPIView(mixins.UpdateModelMixin, GenericAPIView):
    pass


class ListCreateAPIView(mixins.ListModelMixin, mixins.CreateModelMixin, GenericAPIView):
    def get(self, request, *args, **kwargs):
        return self.list(request, *args, **kwargs)


class RetrieveUpdateAPIView(mixins.RetrieveModelMixin, mixins.UpdateModelMixin, GenericAPIView):
    def get(self, request, *args, **kwargs):
        return self.retrieve(request, *args, **kwargs)


class RetrieveDestroyAPIView(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericAPIView):
    def get(self, request, *args, **kwargs):
        return self.retrieve(request, *args, **kwargs)


class RetrieveUpdateDestroyAPIView(mixins.RetrieveModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, GenericAPIView):
    def get(self, request, *args, **kwargs):
        return self.retrieve(request, *args, **kwargs)
