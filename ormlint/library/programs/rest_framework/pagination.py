from django.core.paginator import Paginator
from rest_framework.response import Response
from rest_framework.settings import api_settings

from ormlint.intrinsics import is_unset


class BasePagination:
    def get_paginated_response(self, data):
        return Response(data)


class PageNumberPagination(BasePagination):
    page_size = api_settings.PAGE_SIZE
    django_paginator_class = Paginator

    def get_page_size(self, request):
        return self.page_size

    def paginate_queryset(self, queryset, request, view=None):
        page_size = self.get_page_size(request)
        if is_unset(page_size):
            return None
        return list(queryset[0:page_size])


class LimitOffsetPagination(BasePagination):
    default_limit = api_settings.PAGE_SIZE

    def get_limit(self, request):
        return self.default_limit

    def paginate_queryset(self, queryset, request, view=None):
        limit = self.get_limit(request)
        if is_unset(limit):
            return None
        return list(queryset[0:limit])


class CursorPagination(BasePagination):
    page_size = api_settings.PAGE_SIZE
    ordering = "-created"

    def get_page_size(self, request):
        return self.page_size

    def paginate_queryset(self, queryset, request, view=None):
        page_size = self.get_page_size(request)
        if is_unset(page_size):
            return None
        return list(queryset.order_by(self.ordering)[0:page_size])
