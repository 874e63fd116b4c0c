from import_export.widgets import Widget
from ormlint.intrinsics import is_known, is_unset, value_at


class _Shown:
    def get_attribute(self, instance):
        method = getattr(self.parent, self.method_name, None)
        if is_known(method):
            return method(instance)
        return value_at(instance, self.source)

    def to_representation(self, value):
        if is_known(getattr(self.parent, self.method_name, None)):
            return value
        return self.widget.render(value)


class Field(_Shown):
    def __init__(self, attribute=None, column_name=None, widget=None, default=None, readonly=False, dehydrate_method=None, **kwargs):
        self.source = "*" if is_unset(attribute) else attribute
        self.widget = Widget() if is_unset(widget) else widget
        self.method_name = "dehydrate_{}" if is_unset(dehydrate_method) else dehydrate_method
        self.parent = None
