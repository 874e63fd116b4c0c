"""Packages that show rows of Django by GraphQL.

Measured with graphene-django 3.2 and strawberry-graphql-django 0.91: for a list of N rows, each relation that the client asks for and the
resolver has not loaded costs N queries, be it to one row or to many, unless an optimizer is at work.
"""

OBJECT_TYPES = ("DjangoObjectType",)
"""Graphene: classes with a field per column and relation of `Meta.model`."""
QUERIES = ("graphene.ObjectType", "graphene.types.objecttype.ObjectType")
WHOLE_TABLES = frozenset({"DjangoListField", "DjangoConnectionField", "DjangoFilterConnectionField"})
"""Graphene: fields that give all rows of a type's model where there is no resolver."""
LISTS = WHOLE_TABLES | {"List"}
RESOLVER = "resolve_"
TYPES = frozenset({"strawberry_django.type", "strawberry.django.type"})
"""Strawberry: decorators that make a class show rows of the model that they are given."""
ROOTS = frozenset({"strawberry.type", "strawberry.experimental.type"})
FIELDS = frozenset({"field", "connection", "offset_paginated"})
OPTIMIZERS = frozenset({
    "DjangoOptimizerExtension", "graphene_django_optimizer", "gql_optimizer", "query_optimizer", "graphene_django_query_optimizer",
})  # fmt: skip
"""Names of what loads with a list whatever relations the client asks for. Where one of them is used, nothing is said."""
