"""The names by which GraphQL packages are known are those of the packages."""

import importlib

import pytest

from ormlint.library import graphql


@pytest.fixture
def configured() -> None:
    from django.conf import settings

    if not settings.configured:
        settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"])
    import django

    django.setup()


@pytest.mark.usefixtures("configured")
def test_graphene() -> None:
    graphene = pytest.importorskip("graphene")
    fields = pytest.importorskip("graphene_django.fields")
    types = importlib.import_module("graphene_django")
    assert all(hasattr(types, name) for name in graphql.OBJECT_TYPES)
    assert all(hasattr(fields, name) or name == "DjangoFilterConnectionField" for name in graphql.WHOLE_TABLES)
    assert f"{graphene.ObjectType.__module__}.ObjectType" in graphql.QUERIES


@pytest.mark.usefixtures("configured")
def test_strawberry() -> None:
    package = pytest.importorskip("strawberry_django")
    strawberry = importlib.import_module("strawberry")
    assert all(hasattr(package, name) for name in graphql.FIELDS)
    assert "strawberry_django.type" in graphql.TYPES
    assert callable(package.type)
    assert callable(strawberry.type)
    optimizer = importlib.import_module("strawberry_django.optimizer")
    assert any(hasattr(optimizer, name) for name in graphql.OPTIMIZERS)
