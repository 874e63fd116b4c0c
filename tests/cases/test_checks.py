"""The checks fail when they should: a case that is wrong in one respect must not pass."""

from pathlib import Path

import pytest

from tests.cases import checks
from tests.cases.document import Case, read_cases
from tests.cases.execution import Laboratory
from tests.cases.rewrite import Rewriter

DOCUMENT = """\
# Shop
`shop/models.py`:
```py
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=80)


class Book(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
```
## Case
<!-- runnable: django, 1 + N statements -->
`shop/report.py`:
```py
from shop.models import Book


def main():
    for book in Book.objects.all():
        print(book.author.name)  # error: [ORM101] "author"
```
```queries
1  load rows    Book         shop/report.py:5
N  lazy object  Book.author  shop/report.py:6
```
```diff
--- shop/report.py
+++ shop/report.py
@@
 def main():
-    for book in Book.objects.all():
+    for book in Book.objects.all().select_related("author"):
         print(book.author.name)  # error: [ORM101] "author"
```
```schema
shop.Author
  book_set → Book  reverse foreign key  ⇄ author
shop.Book
  author → Author  foreign key  ⇄ book_set
```
"""
LABORATORY = Laboratory()


def case_of(text: str) -> Case:
    (case,) = read_cases(Path("case.md"), text)
    return case


def changed(old: str, new: str) -> Case:
    assert DOCUMENT.count(old) == 1, old
    return case_of(DOCUMENT.replace(old, new))


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
def test_a_case_that_is_right_passes(check: checks.Check) -> None:
    case = case_of(DOCUMENT)
    assert check in list(checks.checks_of(case))
    check(case, LABORATORY, Rewriter())


END = "\n```\n```queries"
READ = f'print(book.author.name)  # error: [ORM101] "author"{END}'


@pytest.mark.parametrize(
    ("check", "old", "new", "complaint"),
    [
        (checks.findings, READ, f"print(book.author.name){END}", "unexpected  shop/report.py:6: [ORM101]"),
        (checks.findings, READ, f"print(book.author.name)  # error: [ORM102]{END}", "missing     shop/report.py:6: [ORM102]"),
        (checks.findings, READ, f"print(book.author.name)  # info: [ORM101]{END}", "missing     shop/report.py:6: [ORM101] info"),
        (checks.findings, READ, f"reveal_type(book)  # revealed: two{END}", "reveal_type() says"),
        (checks.findings, "N  lazy object", "1  lazy object", "the `queries` fence is out of date"),
        (checks.findings, "shop.Author\n", "shop.Writer\n", "the `schema` fence is out of date"),
        (checks.run, "1 + N statements", "2 + N statements", "2 + N is 5 with 3 rows, measured: 4"),
        (checks.run, ", 1 + N statements", "", "states no number of statements; measured: 1 + N"),
        (checks.run, READ, f"print(book.title){END}", "no attribute 'title'"),
        (checks.fix, '.select_related("author")', '.prefetch_related("author")', "the `diff` fence is out of date"),
    ],
)
def test_a_case_that_is_wrong_fails(check: checks.Check, old: str, new: str, complaint: str) -> None:
    with pytest.raises(checks.CaseError) as raised:
        check(changed(old, new), LABORATORY, Rewriter())
    assert complaint in str(raised.value)


def test_a_log_without_the_growth_disagrees() -> None:
    case = case_of(DOCUMENT.replace("print(book.author.name)", 'print(getattr(book, "au" + "thor").name)'))
    with pytest.raises(checks.CaseError, match=r"really 1 \+ N statements"):
        checks.agree(case, LABORATORY, Rewriter())


def test_a_fix_that_changes_the_output_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoiled(case: Case) -> dict[str, str]:
        return {path: text.replace("book.author.name", "book.author.pk") for path, text in case.texts.items()}

    monkeypatch.setattr(checks, "_most_fixed", spoiled)
    with pytest.raises(checks.CaseError, match="prints something else"):
        checks.agree(case_of(DOCUMENT), LABORATORY, Rewriter())
