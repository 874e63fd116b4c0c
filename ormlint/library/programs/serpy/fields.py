"""What a field of a serializer shows of an object. Measured with serpy 0.3.1."""

from ormlint.intrinsics import value_at


class _Shown:
    def get_attribute(self, instance):
        return value_at(instance, self.source)

    def to_representation(self, value):
        return self.to_value(value)


class _ShownByMethod:
    def get_attribute(self, instance):
        return instance

    def to_representation(self, value):
        method = getattr(self.parent, self.method_name)
        return method(value)


class Field(_Shown):
    def __init__(self, attr=None, call=False, label=None, required=True):
        self.source = attr
        self.parent = None

    def to_value(self, value):
        return value


class StrField(Field):
    def to_value(self, value):
        return str(value)


class IntField(Field):
    pass


class FloatField(Field):
    pass


class BoolField(Field):
    pass


class MethodField(_ShownByMethod, Field):
    def __init__(self, method=None, **kwargs):
        super().__init__(**kwargs)
        self.method_name = method
