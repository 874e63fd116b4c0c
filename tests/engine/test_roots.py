"""What is run, and in which order."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.read.python import lower_python
from ormlint.run import Options, analyse

FILES = {
    "shop/models.py": "from django.db import models\n\nclass Book(models.Model):\n    title = models.CharField(max_length=80)\n",
    "shop/views.py": "from shop.models import Book\n\ndef view():\n    return Book.objects.exists()\n",
    "tests/shelves.py": "from shop.models import Book\n\n"
    "def shelf():\n    return Book.objects.get(pk=1)\n\ndef lonely():\n    return Book.objects.count()\n",
}


def modules() -> list[ir.Module]:
    return [lower_python(path, path.removesuffix(".py").replace("/", "."), text, False) for path, text in FILES.items()]


def functions(options: Options) -> list[str]:
    return list(dict.fromkeys(event.function for event in analyse(modules(), options).log.events))


def test_everything_is_run() -> None:
    assert set(functions(Options())) == {"shop.views:view", "tests.shelves:shelf", "tests.shelves:lonely"}


def test_some_files_come_last() -> None:
    assert functions(Options(comes_last=lambda path: path.startswith("tests/")))[0] == "shop.views:view"
    assert functions(Options(comes_last=lambda path: path == "shop/views.py"))[-1] == "shop.views:view"
