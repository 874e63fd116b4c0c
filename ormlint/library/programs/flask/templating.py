from ormlint.intrinsics import show


def render_template(template_name_or_list, **context):
    return show(template_name_or_list, context)


def stream_template(template_name_or_list, **context):
    return show(template_name_or_list, context)
