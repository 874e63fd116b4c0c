from pathlib import Path

import pytest

from tests.cases.document import read_cases
from tests.cases.execution import Laboratory, Program
from tests.cases.rewrite import Rewriter

MODELS = """\
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
"""
MAIN = """\
from shop.models import Book


def main():
    for book in Book.objects.all():
        print(book.author.name)
"""
ROWS = """\
from sqlalchemy import Column, Integer, String, select
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Row(Base):
    __tablename__ = "row"
    id = Column(Integer, primary_key=True)
    name = Column(String)


def main(session):
    for row in session.scalars(select(Row)):
        print(row.name)
"""


def test_statements_are_counted_and_output_is_kept() -> None:
    laboratory = Laboratory()
    django = Program.of("django", {"shop/models.py": MODELS, "shop/report.py": MAIN})
    alchemy = Program.of("sqlalchemy", {"rows.py": ROWS})
    laboratory.execute([django, alchemy])
    assert laboratory.result(django).cost == "1 + N"
    assert laboratory.result(django).runs[0].output == "name 1\nname 2\nname 3\n"
    assert laboratory.result(alchemy).cost == "1"
    assert laboratory.result(alchemy).runs[1].output.count("name") == 7


def test_programs_with_the_same_names_do_not_meet() -> None:
    laboratory = Laboratory()
    joined = Program.of("django", {"shop/models.py": MODELS, "shop/report.py": MAIN.replace(".all()", '.select_related("author")')})
    plain = Program.of("django", {"shop/models.py": MODELS, "shop/report.py": MAIN})
    laboratory.execute([joined, plain, joined])
    assert (laboratory.result(joined).cost, laboratory.result(plain).cost) == ("1", "1 + N")


def test_a_failing_program_tells_its_traceback_and_others_go_on() -> None:
    laboratory = Laboratory()
    broken = Program.of("django", {"shop/models.py": MODELS, "shop/report.py": "def main():\n    raise SystemExit('no')\n"})
    sound = Program.of("django", {"shop/models.py": MODELS, "shop/report.py": MAIN})
    laboratory.execute([broken, sound])
    assert "SystemExit: no" in laboratory.result(broken).error
    assert laboratory.result(sound).error == ""


def test_a_program_has_one_entry() -> None:
    assert Program.of("django", {"shop/__init__.py": "def main():\n    pass\n"}).entry == "shop"
    with pytest.raises(LookupError, match="this one has 0"):
        _ = Program.of("django", {"shop/models.py": MODELS}).entry


def test_fences_and_marks_are_rewritten_in_place(tmp_path: Path) -> None:
    document = tmp_path / "theme.md"
    document.write_text(
        "# Theme\n## Case\n<!-- runnable: django -->\n`a.py`:\n```py\nx\n```\n```diff\n```\n```queries\nold\nolder\n```\nEnd.\n",
        encoding="utf-8",
    )
    (case,) = read_cases(document)
    assert case.runnable is not None
    rewriter = Rewriter()
    rewriter.replace_fence(case, case.pins["queries"], "new\n")
    rewriter.replace_fence(case, case.pins["diff"], "-x\n+y\n")
    rewriter.replace_line(case, case.runnable.line, "<!-- runnable: django, 1 statement -->")
    rewriter.write()
    (case,) = read_cases(document)
    assert case.pins["queries"].text == "new\n"
    assert case.pins["diff"].text == "-x\n+y\n"
    assert case.runnable is not None
    assert case.runnable.cost == "1"
    assert document.read_text(encoding="utf-8").endswith("```\nEnd.\n")
