"""Fixing from the command line, with the real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ormlint.cli import fixing
from ormlint.fixes import AppliedFixes
from ormlint.judge.finding import Finding
from tests.cli.conftest import Run

MODELS = "from django.db import models\n\n\nclass Book(models.Model):\n    title = models.CharField(max_length=99)\n"
VIEWS = "from shop.models import Book\n\n\ndef number(request):\n    return len(Book.objects.all())\n"
FIXED = VIEWS.replace("len(Book.objects.all())", "Book.objects.all().count()")


@pytest.fixture
def views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in the current directory whose view counts rows in Python."""
    for path, text in {"manage.py": "", "shop/__init__.py": "", "shop/models.py": MODELS, "shop/views.py": VIEWS}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "ormlint.toml").write_text('select = ["ORM201"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shop/views.py"


def test_fix_changes_the_file_and_reports_what_is_left(views: Path, run: Run) -> None:
    done = run("check", "--fix")
    assert views.read_text() == FIXED
    assert (done.exit_code, done.stdout.splitlines()[:2]) == (0, ["Fixed 1 finding.", "No findings."])
    assert run("check", "--fix").stdout.startswith("No findings.")


def test_diff_shows_the_change_and_makes_none(views: Path, run: Run) -> None:
    done = run("check", "--diff")
    assert (done.exit_code, done.stderr) == (1, "Would fix 1 finding.\n")
    assert done.stdout.splitlines()[-2:] == ["-    return len(Book.objects.all())", "+    return Book.objects.all().count()"]
    assert views.read_text() == VIEWS
    assert run("check", "--diff", "--exit-zero").exit_code == 0
    views.write_text(FIXED)
    assert run("check", "--diff", "-q").exit_code == 0


def test_what_lies_outside_the_paths_is_not_fixed(views: Path, run: Run) -> None:
    assert run("check", "--fix", "shop/models.py").exit_code == 0
    assert views.read_text() == VIEWS


def test_standard_input_is_fixed_to_standard_output(views: Path, run: Run) -> None:
    done = run("check", "--fix", "-q", "--stdin-filename", "shop/views.py", "-", text=VIEWS)
    assert (done.exit_code, done.stdout) == (0, FIXED)
    assert views.read_text() == VIEWS


def test_a_file_that_cannot_be_written_is_reported(views: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(source: str, target: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ormlint.fixes.write.os.replace", refuses)
    done = run("check", "--fix", "--no-cache")
    assert done.exit_code == 1
    assert "shop/views.py:1:1: error: not fixed: Permission denied" in done.stdout


def test_a_file_that_changes_meanwhile_is_fixed_in_the_next_pass(views: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (views.parent / "more.py").write_text(VIEWS)
    apply, passes = fixing.apply_fixes, []

    def disturbed(findings: list[Finding], root: str, texts: Callable[[str], str], unsafe: bool) -> AppliedFixes:
        if not passes:
            views.write_text(f"{VIEWS}\n\nmore = 1\n")
        passes.append(apply(findings, root, texts, unsafe))
        return passes[-1]

    monkeypatch.setattr(fixing, "apply_fixes", disturbed)
    done = run("check", "--fix", "--no-cache")
    assert [problem.message for problem in passes[0].problems] == ["not fixed: the file has changed since it was read"]
    assert views.read_text() == f"{FIXED}\n\nmore = 1\n"
    assert (done.exit_code, done.stdout.splitlines()[:2]) == (0, ["Fixed 2 findings.", "No findings."])


def test_a_rule_in_both_gradings_is_an_error(views: Path, run: Run) -> None:
    Path("ormlint.toml").write_text('extend-unsafe-fixes = ["ORM201"]\nextend-safe-fixes = ["len-of-query"]\n')
    done = run("check")
    assert done.exit_code == 2
    assert done.stderr.endswith("ormlint.toml: ORM201 [len-of-query] is in both extend-safe-fixes and extend-unsafe-fixes\n")


def test_fix_only_reports_nothing_but_what_was_fixed(views: Path, run: Run) -> None:
    left = "\n\ndef shown():\n    rows = Book.objects.all()\n    return len(rows), list(rows)\n"
    views.write_text(VIEWS + left)
    done = run("check", "--fix-only")
    assert views.read_text() == FIXED + left
    assert (done.exit_code, done.stdout) == (0, "Fixed 1 finding.\n")
    assert run("check", "--fix-only", "--diff").stdout == ""


def test_a_rule_whose_fixes_are_not_trusted_needs_unsafe_fixes(views: Path, run: Run) -> None:
    Path("ormlint.toml").write_text('select = ["ORM201"]\nextend-unsafe-fixes = ["ORM2"]\n')
    done = run("check", "--fix")
    assert views.read_text() == VIEWS
    assert "unsafe: the configuration counts fixes of this rule as unsafe" in done.stdout
    Path("ormlint.toml").write_text('select = ["ORM201"]\nextend-unsafe-fixes = ["ORM2"]\nextend-safe-fixes = ["len-of-query"]\n')
    assert run("check", "--fix").exit_code == 0
    assert views.read_text() == FIXED


def test_a_rule_whose_fixes_are_trusted_needs_no_unsafe_fixes(views: Path, run: Run) -> None:
    views.write_text("from shop.models import Book\n\n\ndef pages(request):\n    return sum(book.pages for book in Book.objects.all())\n")
    (views.parent / "models.py").write_text(f"{MODELS}    pages = models.IntegerField()\n")
    Path("ormlint.toml").write_text('select = ["ORM210"]\n')
    assert "--unsafe-fixes" in run("check", "--fix").stdout
    Path("ormlint.toml").write_text('select = ["ORM210"]\nextend-safe-fixes = ["ORM210"]\n')
    assert run("check", "--fix").stdout.startswith("Fixed 1 finding.")
    assert "aggregate" in views.read_text()


def test_a_wrong_name_in_the_gradings_is_an_error(views: Path, run: Run) -> None:
    Path("ormlint.toml").write_text('extend-safe-fixes = ["len-of-qeury"]\n')
    done = run("check")
    assert done.exit_code == 2
    assert "extend-safe-fixes: there is no rule `len-of-qeury`; did you mean `len-of-query`?" in done.stderr


def test_fixes_that_undo_each_other_end(views: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def back(findings: object, root: str, texts: object, unsafe: bool) -> AppliedFixes:
        views.write_text(FIXED if views.read_text() == VIEWS else VIEWS)
        return AppliedFixes(written=["shop/views.py"])

    monkeypatch.setattr("ormlint.cli.fixing.apply_fixes", back)
    done = run("check", "--fix", "--no-cache")
    assert done.exit_code == 2
    assert "fixes undo each other in shop/views.py" in done.stdout
    assert views.read_text() == VIEWS
