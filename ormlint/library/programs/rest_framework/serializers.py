from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    DurationField,
    EmailField,
    Field,
    FileField,
    FilePathField,
    FloatField,
    HiddenField,
    HStoreField,
    ImageField,
    IntegerField,
    IPAddressField,
    JSONField,
    ListField,
    ModelField,
    MultipleChoiceField,
    ReadOnlyField,
    RegexField,
    SerializerMethodField,
    SlugField,
    TimeField,
    URLField,
    UUIDField,
)
from rest_framework.relations import (
    HyperlinkedIdentityField,
    HyperlinkedRelatedField,
    ManyRelatedField,
    PrimaryKeyRelatedField,
    RelatedField,
    SlugRelatedField,
    StringRelatedField,
)

from ormlint.intrinsics import is_known, is_unset, represent, represent_each, rows_of


class BaseSerializer(Field):
    def __new__(cls, *args, many=False, **kwargs):
        if is_unset(many):
            return super().__new__(cls, *args, **kwargs)
        return cls.many_init(*args, **kwargs)

    @classmethod
    def many_init(cls, *args, **kwargs):
        list_serializer_class = cls.Meta.list_serializer_class
        child = cls(*args, **kwargs)
        if is_known(list_serializer_class):
            return list_serializer_class(*args, child=child, **kwargs)
        return ListSerializer(*args, child=child, **kwargs)

    def __init__(self, instance=None, data=None, context=None, **kwargs):
        self.instance = instance
        self._context = context
        super().__init__(**kwargs)

    @property
    def context(self):
        if is_unset(self.parent):
            return self._context
        return self.parent.context

    def to_representation(self, instance):
        return {}

    @property
    def data(self):
        return self.to_representation(self.instance)


class Serializer(BaseSerializer):
    def to_representation(self, instance):
        return represent(self, instance)


class ListSerializer(BaseSerializer):
    child = None

    def __init__(self, *args, child=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.child = child
        self.child.parent = self

    def to_representation(self, data):
        return represent_each(self.child, rows_of(data))


class ModelSerializer(Serializer):
    serializer_related_field = PrimaryKeyRelatedField
    serializer_related_to_field = SlugRelatedField


class HyperlinkedModelSerializer(ModelSerializer):
    serializer_related_field = HyperlinkedRelatedField
