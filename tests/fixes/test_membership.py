"""`x in query` is asked of the database (ORM207): what is written, and what looks like it and is left alone."""

from __future__ import annotations

import pytest

from tests.cases.examine import fixed

MODELS = """from django.db import models


class Tag(models.Model):
    word = models.CharField(max_length=9)


class Author(models.Model):
    name = models.CharField(max_length=9)
    teacher = models.ForeignKey("self", models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag)
"""
PAGE = """from django.core.cache import cache

from shop.models import Author


def find(author, name, request):
    {test}
"""
CONFIG = 'select = ["ORM207"]\npreview = true\n'


def of(test: str, config: str = CONFIG) -> str:
    done = fixed({"shop/models.py": MODELS, "shop/pages.py": PAGE.replace("{test}", test)}, config, unsafe=True)
    assert done.files["shop/models.py"] == MODELS
    return done.files["shop/pages.py"].removeprefix(PAGE.partition("{test}")[0]).removesuffix("\n")


@pytest.mark.parametrize(
    ("test", "asked"),
    [
        ("return author in Author.objects.all()", "return Author.objects.all().contains(author)"),
        ("return author not in Author.objects.all() and 1", "return not Author.objects.all().contains(author) and 1"),
        ("return not author in Author.objects.all()", "return not Author.objects.all().contains(author)"),
        ("return(author)in(Author.objects.all())", "return (Author.objects.all()).contains(author)"),
        ("return 0 if author not in(Author.objects.all())else 1", "return 0 if not (Author.objects.all()).contains(author)else 1"),
        ("return 1 in (2, author in Author.objects.all())", "return 1 in (2, Author.objects.all().contains(author))"),
        ("rows = Author.objects.all()\n    return author in rows  # one", "rows = Author.objects.all()\n    return rows.contains(author)  # one"),
        ('return name in Author.objects.values_list("name", flat=True)', "return Author.objects.filter(name=name).exists()"),
        ("return name.lower() in Author.objects.values_list('teacher', flat=True)", "return Author.objects.filter(teacher=name.lower()).exists()"),
        (
            "return name in (Author.objects  # all\n        .values_list('name', flat=True))",
            "return (Author.objects  # all\n        .filter(name=name).exists())",
        ),
    ],
)
def test_the_database_is_asked(test: str, asked: str) -> None:
    assert of(test) == asked


@pytest.mark.parametrize(
    "test",
    [
        "return author in list(Author.objects.all())",
        "return author in [each for each in Author.objects.all()]",
        "return author in Author.objects.all()[:9]",
        'return author in Author.objects.filter(name="a").union(Author.objects.filter(name="b"))',
        "return author in (request.authors or Author.objects.all())",
        "return author in Author.objects.all().iterator()",
        "return author in Author.objects.select_for_update()",
        'return author in Author.objects.values("name")',
        'return author in Author.objects.raw("SELECT * FROM shop_author")',
        "return author in Author.objects.all() is True",
        "return (kept := author) in Author.objects.all()",
        "return author in cache.get_or_set('all', Author.objects.all())",
        'return name in Author.objects.values_list("name")',
        'return name in Author.objects.values_list("tags", flat=True)',
        'return name in Author.objects.filter(tags__word="a").values_list("tags__word", flat=True)',
        'return name in Author.objects.values_list("name", flat=request.flat)',
        "return (author  # of all\n        in Author.objects.all())",
        "return f'{author in Author.objects.all()}'",
        "rows = Author.objects.all()\n    return author in rows or len(rows)",
    ],
)
def test_other_searches_are_left(test: str) -> None:
    assert of(test) == test


def test_an_older_django_has_no_contains() -> None:
    test = "return author in Author.objects.all()"
    assert of(test, f'{CONFIG}target-django = "3.2"\n') == test
