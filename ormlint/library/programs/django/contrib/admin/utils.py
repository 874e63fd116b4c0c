from ormlint.intrinsics import has_member, is_field, is_known, read


def lookup_field(name, obj, model_admin=None):
    if is_field(obj, name):
        value = read(obj, name)
    elif is_known(name):
        value = name(obj)
    elif name != "__str__" and has_member(model_admin, name):
        value = getattr(model_admin, name)(obj)
    else:
        value = read(obj, name)
    return str(value)
