"""The names by which GraphQL packages are known are those of the packages."""

import importlib
import json
import subprocess
import sys

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


MEASURED = """
import json, sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "graphene_django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
import django
django.setup()
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

class Author(models.Model):
    name = models.CharField(max_length=9)
    class Meta:
        app_label = "contenttypes"

class Book(models.Model):
    title = models.CharField(max_length=9)
    author = models.ForeignKey(Author, on_delete=models.CASCADE, related_name="books")
    class Meta:
        app_label = "contenttypes"

with connection.schema_editor() as editor:
    editor.create_model(Author)
    editor.create_model(Book)
for number in range(5):
    Book.objects.create(title="t", author=Author.objects.create(name=str(number)))

import graphene, strawberry, strawberry_django
from graphene_django import DjangoListField, DjangoObjectType
from strawberry_django.optimizer import DjangoOptimizerExtension

class AuthorType(DjangoObjectType):
    class Meta:
        model = Author
        fields = ["name"]

class BookType(DjangoObjectType):
    class Meta:
        model = Book
        fields = ["title", "author"]

class Query(graphene.ObjectType):
    books = DjangoListField(BookType)

@strawberry_django.type(Author)
class StrawberryAuthor:
    name: strawberry.auto

@strawberry_django.type(Book)
class StrawberryBook:
    title: strawberry.auto
    author: StrawberryAuthor

@strawberry.type
class StrawberryQuery:
    books: list[StrawberryBook] = strawberry_django.field()

asked = [
    graphene.Schema(query=Query).execute,
    strawberry.Schema(query=StrawberryQuery).execute_sync,
    strawberry.Schema(query=StrawberryQuery, extensions=[DjangoOptimizerExtension]).execute_sync,
]
found = []
for ask in asked:
    with CaptureQueriesContext(connection) as queries:
        assert not ask("{ books { title author { name } } }").errors
    found.append(len(queries))
print(json.dumps(found))
"""


def test_a_relation_of_a_list_costs_one_query_per_row_without_an_optimizer() -> None:
    pytest.importorskip("graphene_django")
    pytest.importorskip("strawberry_django")
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [6, 6, 1]
