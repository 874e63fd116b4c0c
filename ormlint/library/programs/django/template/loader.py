from ormlint.intrinsics import show


def render_to_string(template_name, context=None, request=None, using=None):
    return show(template_name, context)
