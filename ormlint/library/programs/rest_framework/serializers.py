from ormlint.intrinsics import rows_of


class BaseSerializer:
    def __init__(self, instance=None, data=None, **kwargs):
        self.instance = instance
        self.many = kwargs.get("many", False)

    def to_representation(self, instance):
        return {}

    @property
    def data(self):
        if self.many:
            return [self.to_representation(row) for row in rows_of(self.instance)]
        return self.to_representation(self.instance)


class Serializer(BaseSerializer):
    pass


class ModelSerializer(Serializer):
    pass


class HyperlinkedModelSerializer(ModelSerializer):
    pass
