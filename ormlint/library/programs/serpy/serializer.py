from ormlint.intrinsics import is_unset, represent, represent_each
from serpy.fields import Field


class SerializerBase(Field):
    pass


class Serializer(SerializerBase):
    def __init__(self, instance=None, many=False, data=None, context=None, **kwargs):
        super().__init__(**kwargs)
        self.instance = instance
        self.many = many

    def _serialize(self, instance, fields=None):
        return represent(self, instance)

    def to_value(self, instance):
        if is_unset(self.many):
            return self._serialize(instance)
        return represent_each(self, instance)

    @property
    def data(self):
        return self.to_value(self.instance)


class DictSerializer(Serializer):
    pass
