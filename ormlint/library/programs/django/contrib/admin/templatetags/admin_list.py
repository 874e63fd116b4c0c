from django.contrib.admin.utils import lookup_field

from ormlint.intrinsics import at_least, each, is_unset


def results(cl):
    model_admin = cl.model_admin
    for res in cl.result_list:
        if at_least("django", 5, 0) and not is_unset(model_admin.get_actions(model_admin)):
            model_admin.action_checkbox(res)
        each(cl.list_display, model_admin, "list_display", lookup_field, res, model_admin)
