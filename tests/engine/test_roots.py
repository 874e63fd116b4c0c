"""What is run by itself, and what only where something else calls it."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.read.python import lower_python
from ormlint.run import Options, analyse

FILES = {
    "shop/models.py": "from django.db import models\n\nclass Book(models.Model):\n    title = models.CharField(max_length=80)\n",
    "shop/views.py": "from shop.models import Book\nfrom tests.shelves import shelf\n\ndef view():\n    return shelf()\n",
    "tests/shelves.py": "from shop.models import Book\n\n"
    "def shelf():\n    return Book.objects.get(pk=1)\n\ndef lonely():\n    return Book.objects.count()\n",
}


def modules() -> list[ir.Module]:
    return [lower_python(path, path.removesuffix(".py").replace("/", "."), text, False) for path, text in FILES.items()]


def functions(options: Options) -> set[str]:
    return {event.function for event in analyse(modules(), options).log.events}


def test_everything_is_run() -> None:
    assert functions(Options()) == {"tests.shelves:shelf", "tests.shelves:lonely"}


def test_a_file_in_which_nothing_starts_is_run_where_others_call_it() -> None:
    assert functions(Options(starts_in=lambda path: path.startswith("shop/"))) == {"tests.shelves:shelf"}
