from ormlint.intrinsics import value_at


class Field:
    def __init__(self, *, read_only=False, write_only=False, source=None, **kwargs):
        self.source = source
        self.write_only = write_only
        self.parent = None

    def get_attribute(self, instance):
        return value_at(instance, self.source)

    def to_representation(self, value):
        return value


class BooleanField(Field):
    pass


class CharField(Field):
    def to_representation(self, value):
        return str(value)


class EmailField(CharField):
    pass


class RegexField(CharField):
    pass


class SlugField(CharField):
    pass


class URLField(CharField):
    pass


class UUIDField(Field):
    pass


class IPAddressField(CharField):
    pass


class IntegerField(Field):
    pass


class FloatField(Field):
    pass


class DecimalField(Field):
    pass


class DateTimeField(Field):
    pass


class DateField(Field):
    pass


class TimeField(Field):
    pass


class DurationField(Field):
    pass


class ChoiceField(Field):
    pass


class MultipleChoiceField(ChoiceField):
    def to_representation(self, value):
        return set(value)


class FilePathField(ChoiceField):
    pass


class FileField(Field):
    pass


class ImageField(FileField):
    pass


class ListField(Field):
    child = None

    def __init__(self, *, child=None, **kwargs):
        self.child = child
        super().__init__(**kwargs)

    def to_representation(self, data):
        return [self.child.to_representation(item) for item in data]


class DictField(Field):
    pass


class HStoreField(DictField):
    pass


class JSONField(Field):
    pass


class ReadOnlyField(Field):
    pass


class HiddenField(Field):
    def __init__(self, **kwargs):
        kwargs["write_only"] = True
        super().__init__(**kwargs)


class SerializerMethodField(Field):
    def __init__(self, method_name=None, **kwargs):
        self.method_name = method_name
        kwargs["source"] = "*"
        super().__init__(**kwargs)

    def to_representation(self, value):
        method = getattr(self.parent, self.method_name)
        return method(value)


class ModelField(Field):
    pass
