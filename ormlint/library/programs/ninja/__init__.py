from ninja.orm.metaclass import ModelSchema
from ninja.schema import Schema
