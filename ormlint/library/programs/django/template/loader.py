from django.template.backends.django import Template

from ormlint.intrinsics import show


def render_to_string(template_name, context=None, request=None, using=None):
    return show(template_name, context)


def get_template(template_name, using=None):
    return Template(template_name)


def select_template(template_name_list, using=None):
    return Template(template_name_list)
