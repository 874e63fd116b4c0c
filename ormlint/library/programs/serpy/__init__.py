from serpy.fields import BoolField, Field, FloatField, IntField, MethodField, StrField
from serpy.serializer import DictSerializer, Serializer
