from rest_framework.fields import Field

from ormlint.intrinsics import is_unset, key_at, rows_of, value_at


class RelatedField(Field):
    def __new__(cls, *args, many=False, **kwargs):
        if is_unset(many):
            return super().__new__(cls, *args, **kwargs)
        return cls.many_init(*args, **kwargs)

    @classmethod
    def many_init(cls, *args, source=None, write_only=False, **kwargs):
        return ManyRelatedField(child_relation=cls(*args, **kwargs), source=source, write_only=write_only)

    def use_pk_only_optimization(self):
        return False

    def get_attribute(self, instance):
        if self.use_pk_only_optimization():
            return key_at(instance, self.source)
        return super().get_attribute(instance)


class StringRelatedField(RelatedField):
    def to_representation(self, value):
        return str(value)


class PrimaryKeyRelatedField(RelatedField):
    def use_pk_only_optimization(self):
        return True

    def to_representation(self, value):
        return value.pk


class HyperlinkedRelatedField(RelatedField):
    lookup_field = "pk"

    def __init__(self, view_name=None, lookup_field=None, **kwargs):
        if lookup_field is not None:
            self.lookup_field = lookup_field
        super().__init__(**kwargs)

    def use_pk_only_optimization(self):
        return self.lookup_field == "pk"

    def get_url(self, obj, view_name, request, format):
        return value_at(obj, self.lookup_field)

    def to_representation(self, value):
        return self.get_url(value, None, None, None)


class HyperlinkedIdentityField(HyperlinkedRelatedField):
    def __init__(self, view_name=None, **kwargs):
        kwargs["source"] = "*"
        super().__init__(view_name, **kwargs)

    def use_pk_only_optimization(self):
        return False


class SlugRelatedField(RelatedField):
    def __init__(self, slug_field=None, **kwargs):
        self.slug_field = slug_field
        super().__init__(**kwargs)

    def to_representation(self, obj):
        return value_at(obj, self.slug_field)


class ManyRelatedField(Field):
    def __init__(self, child_relation=None, *args, **kwargs):
        self.child_relation = child_relation
        super().__init__(*args, **kwargs)

    def get_attribute(self, instance):
        return rows_of(value_at(instance, self.source))

    def to_representation(self, iterable):
        return [self.child_relation.to_representation(value) for value in iterable]
