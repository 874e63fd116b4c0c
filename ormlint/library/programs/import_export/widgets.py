"""What an exported cell shows of a value. Measured with django-import-export 4.4."""

from ormlint.intrinsics import is_unset, value_at


class Widget:
    def __init__(self, coerce_to_string=True):
        pass

    def render(self, value, obj=None, **kwargs):
        return value


class NumberWidget(Widget):
    pass


class FloatWidget(NumberWidget):
    pass


class IntegerWidget(NumberWidget):
    pass


class DecimalWidget(NumberWidget):
    pass


class CharWidget(Widget):
    def render(self, value, obj=None, **kwargs):
        return str(value)


class BooleanWidget(Widget):
    pass


class DateWidget(Widget):
    pass


class DateTimeWidget(Widget):
    pass


class TimeWidget(Widget):
    pass


class DurationWidget(Widget):
    pass


class SimpleArrayWidget(Widget):
    pass


class JSONWidget(Widget):
    pass


class ForeignKeyWidget(Widget):
    def __init__(self, model, field="pk", use_natural_foreign_keys=False, key_is_id=False, **kwargs):
        self.field = field
        self.use_natural_foreign_keys = use_natural_foreign_keys
        self.key_is_id = key_is_id

    def render(self, value, obj=None, **kwargs):
        if not is_unset(self.key_is_id):
            return value
        if not is_unset(self.use_natural_foreign_keys):
            return value.natural_key()
        return value_at(value, self.field)


class CachedForeignKeyWidget(ForeignKeyWidget):
    pass


class ManyToManyWidget(Widget):
    def __init__(self, model, separator=None, field=None, **kwargs):
        self.field = "pk" if is_unset(field) else field

    def render(self, value, obj=None, **kwargs):
        return [str(value_at(row, self.field)) for row in value.all()]
