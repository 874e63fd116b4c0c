from django.http.response import HttpResponse

from ormlint.intrinsics import show


class SimpleTemplateResponse(HttpResponse):
    def __init__(self, template, context=None, content_type=None, status=None, charset=None, using=None, headers=None):
        self.content = show(template, context)


class TemplateResponse(SimpleTemplateResponse):
    def __init__(self, request, template, context=None, content_type=None, status=None, charset=None, using=None, headers=None):
        self.content = show(template, context)
