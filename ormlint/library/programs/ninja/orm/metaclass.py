from ninja.schema import Schema


class ModelSchema(Schema):
    pass
