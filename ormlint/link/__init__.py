"""Stage 2: from modules to a program whose names, classes and models are known."""

from __future__ import annotations

from ormlint.link.django_models import DjangoModels
from ormlint.link.names import Program
from ormlint.link.patches import attach_functions
from ormlint.link.schema import Schema
from ormlint.link.sqlalchemy_models import SqlalchemyModels


def build_schema(program: Program) -> tuple[Schema, DjangoModels, SqlalchemyModels]:
    """Returns the schema of a program and the two readers, which resolve lazy references to models later on."""
    attach_functions(program)
    schema = Schema()
    django = DjangoModels(program, schema)
    django.build()
    sqlalchemy = SqlalchemyModels(program, schema)
    sqlalchemy.build()
    return schema, django, sqlalchemy
