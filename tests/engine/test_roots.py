"""What is run, and in which order."""

from __future__ import annotations

from ormlint.ir import nodes as ir
from ormlint.read.python import lower_python
from ormlint.run import Options, analyse
from ormlint.run.log import Op

FILES = {
    "shop/models.py": "from django.db import models\n\nclass Book(models.Model):\n    title = models.CharField(max_length=80)\n",
    "shop/views.py": "from shop.models import Book\n\n"
    "def view():\n    return Book.objects.exists()\n\ndef titled(manager, title):\n    return manager.get(title=title)\n",
    "tests/shelves.py": "from shop.models import Book\nfrom shop.views import titled\n\n"
    "def shelf():\n    return titled(Book.objects, '')\n\ndef lonely():\n    return Book.objects.count()\n",
}


def modules() -> list[ir.Module]:
    return [lower_python(path, path.removesuffix(".py").replace("/", "."), text, False) for path, text in FILES.items()]


def functions(options: Options) -> list[str]:
    return list(dict.fromkeys(event.function for event in analyse(modules(), options).log.events))


def test_everything_is_run() -> None:
    assert set(functions(Options())) == {"shop.views:view", "shop.views:titled", "tests.shelves:lonely"}


def test_of_the_files_that_come_last_only_what_tells_something_is_run() -> None:
    assert functions(Options(comes_last=lambda path: path.startswith("tests/"))) == ["shop.views:view", "shop.views:titled"]


METHOD = """
class BookQuerySet(models.QuerySet):
    def visible_to(self, user):
        known = self.filter(title=user.name)
        # {comment}
        return known
"""


def queries_known(length: int) -> int:
    """Returns how many of fifty lists of books are known to be queries behind a method of their queryset that is this long."""
    method = METHOD.format(comment="." * length)
    fields = "    title = models.CharField(max_length=80)\n    objects = BookQuerySet.as_manager()\n"
    lists = "".join(f"def list{n}(user):\n    return list(Book.objects.filter(pk__gt={n}).visible_to(user))\n\n" for n in range(50))
    files = {
        "shop/models.py": f"from django.db import models\n{method}\nclass Book(models.Model):\n{fields}",
        "shop/lists.py": f"from shop.models import Book\n\n{lists}",
    }
    program = [lower_python(path, path.removesuffix(".py").replace("/", "."), text, False) for path, text in files.items()]
    return sum(event.op is Op.LOAD_ROWS for event in analyse(program, Options()).log.events)


def test_a_method_of_a_queryset_is_run_for_every_query() -> None:
    assert queries_known(10) == 50
    assert queries_known(1500) == 50


def test_unless_it_is_very_long() -> None:
    assert queries_known(3000) < 50


BASE = """
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    @classmethod
    def read(cls, session, key):
        {text}
        query = select(cls)
        # {comment}
        return session.scalars(query.where(cls.id == key)).one()
"""


def rows_known(text: int, length: int) -> int:
    """Returns how many of eighty models are known to be read by a method of their base with a docstring and a body that are this long."""
    parts = "".join(
        f"class Part{n}(Base):\n    __tablename__ = 'part{n}'\n    id: Mapped[int] = mapped_column(primary_key=True)\n\n" for n in range(80)
    )
    readers = "".join(f"def read{n}(session, key):\n    return shop.Part{n}.read(session, key)\n\n" for n in range(80))
    files = {
        "shop.py": BASE.format(text=repr("." * text), comment="." * length) + "\n" + parts,
        "readers.py": f"import shop\n\n{readers}",
    }
    program = [lower_python(path, path.removesuffix(".py"), text, False) for path, text in files.items()]
    models_read = {event.model.name for event in analyse(program, Options()).log.events if event.op is Op.GET_ROW and event.model is not None}
    return len(models_read - {"Base"})


def test_a_method_of_a_base_class_is_run_for_every_model() -> None:
    assert rows_known(1000, 10) == 80
    assert rows_known(1000, 1500) == 80


def test_unless_that_is_very_long() -> None:
    assert rows_known(10, 3000) < 80


PREPARED = """
class Base:
    def prepare(self, key):
        self.book = Book.objects.get(pk=key)
        # {comment}
        if self.book is None:
            raise ValueError
"""


def test_a_method_of_a_base_sets_attributes_of_however_many_classes() -> None:
    below = "".join(f"class View{n}(Base):\n    def get(self):\n        self.book.delete()\n\n" for n in range(60))
    views = f"from shop.models import Book\n{PREPARED.format(comment='.' * 1500)}\n{below}"
    files = {"shop/models.py": FILES["shop/models.py"], "shop/views.py": views}
    program = [lower_python(path, path.removesuffix(".py").replace("/", "."), text, False) for path, text in files.items()]
    assert sum(event.op is Op.DELETE for event in analyse(program, Options()).log.events) == 60


PAGE = """
from flask import render_template

class Page:
    def __init__(self, name, **context):
        self.context = dict(context, name=name)

    def show(self):
        # {comment}
        return render_template(self.context["name"], **self.context)
"""


def pages_shown() -> int:
    """Returns how many of fifty templates are known to be shown by one long method that finds their names in the object."""
    from ormlint.read.jinja_template import lower_jinja

    views = "".join(f"def list{n}():\n    return Page('list{n}.html', books=Book.objects.all()).show()\n\n" for n in range(50))
    files = {
        "shop/models.py": FILES["shop/models.py"],
        "shop/page.py": PAGE.format(comment="." * 1000),
        "shop/views.py": f"from shop.models import Book\nfrom shop.page import Page\n\n{views}",
    }
    program = [lower_python(path, path.removesuffix(".py").replace("/", "."), text, False) for path, text in files.items()]
    program += [lower_jinja(f"templates/list{n}.html", "{% for book in books %}{{ book.title }}{% endfor %}") for n in range(50)]
    return sum(event.op is Op.LOAD_ROWS for event in analyse(program, Options()).log.events)


def test_a_page_is_shown_for_every_template() -> None:
    assert pages_shown() == 50
