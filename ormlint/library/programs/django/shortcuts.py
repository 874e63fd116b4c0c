from django.http import HttpResponse
from django.template.loader import render_to_string


def render(request, template_name, context=None, content_type=None, status=None, using=None):
    return HttpResponse(render_to_string(template_name, context, request, using=using), content_type, status)
