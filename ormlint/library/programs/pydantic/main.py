from ormlint.intrinsics import read_fields


class BaseModel:
    @classmethod
    def model_validate(cls, obj, *, strict=None, extra=None, from_attributes=None, context=None, by_alias=None, by_name=None):
        return read_fields(cls, obj)

    @classmethod
    def from_orm(cls, obj):
        return read_fields(cls, obj)
