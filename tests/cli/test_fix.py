"""Fixing from the command line, with the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

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
