"""Classes that are filled from the attributes of rows.

Source: pydantic 1.10 and 2, sqlmodel 0.0.22, fastapi; which attributes are read was measured with objects that print them.
"""

READ_CLASSES = frozenset({"BaseModel", "SQLModel", "GenericModel", "RootModel", "BaseSettings"})
"""Their annotations name the attributes that `model_validate(row)`, `from_orm(row)` and a response model read."""

RESOLVING = frozenset({"ninja.schema"})
"""Modules whose schemas look for a method `resolve_title` before the attribute, follow dotted aliases and take all rows of a manager.

Measured with django-ninja 1.7.
"""
RESOLVER = "resolve_"

READERS = frozenset({"model_validate", "from_orm"})
COLLECTIONS = frozenset({"list", "List", "set", "Set", "frozenset", "Sequence", "Iterable", "Collection"})
PAGE_PACKAGE = "fastapi_pagination"
"""Its generic classes, `Page[BookOut]`, show a list of what they are given: the attribute `items` of what its `paginate()` gives.

Measured with fastapi-pagination 0.12 and 0.16: relations that the rows lack are loaded lazily, for asynchronous sessions too.
"""
WRAPPERS = frozenset({"Optional", "Annotated", "Required", "SkipValidation"})
BEFORE = {"field_validator": "field", "validator": "field", "model_validator": "whole", "root_validator": "whole"}
"""Decorators of validators, and whether they get a field or the whole object."""

DUMPED_BY = frozenset({"Schema", "SQLAlchemySchema", "SQLAlchemyAutoSchema", "ModelSchema", "TableSchema", "SchemaABC"})
"""marshmallow 3 and 4, marshmallow_sqlalchemy and flask_marshmallow: their `dump(row)` reads an attribute per field."""
DUMP_BY_MODEL = frozenset({"SQLAlchemyAutoSchema", "ModelSchema", "TableSchema"})
"""Have a field for every column of `Meta.model`; for its relations with `include_relationships`, `ModelSchema` always."""
DUMPS = frozenset({"dump", "dumps", "jsonify"})
