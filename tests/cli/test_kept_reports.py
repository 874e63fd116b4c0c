"""The same question about the same inputs is answered from the cache; whatever may change the answer is asked anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ormlint
import ormlint.check
import ormlint.run
from ormlint import kept_reports
from ormlint.cli import main

FILES = {
    "manage.py": "",
    "pyproject.toml": '[tool.ormlint]\nlibrary = ["stubs"]\n',
    "requirements.txt": "django\n",
    "stubs/books.py": "def keep(rows):\n    return rows\n",
    "site1/__init__.py": "",
    "site1/settings.py": 'INSTALLED_APPS = ["shop"]\nROOT_URLCONF = "site1.urls"\n',
    "site1/urls.py": "from django.urls import path\nfrom shop.views import show\nurlpatterns = [path('', show)]\n",
    "shop/__init__.py": "",
    "shop/models.py": (
        "from django.db import models\n\n\nclass Author(models.Model):\n    name = models.TextField()\n\n\n"
        "class Book(models.Model):\n    author = models.ForeignKey(Author, models.CASCADE)\n"
    ),
    "shop/views.py": (
        "from django.shortcuts import render\nfrom .models import Book\n\n\ndef show(request):\n"
        '    return render(request, "shop/show.html", {"books": Book.objects.all()})\n'
    ),
    "shop/templates/shop/show.html": "{% for book in books %}{{ book.author.name }}{% endfor %}\n",
}


MORE = "from .models import Book\n\n\ndef names():\n    return [book.author.name for book in Book.objects.all()]\n"


class Desk:
    """A project that is checked again and again, and how often it was really examined."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.examined = 0
        check = ormlint.check.check

        def counted(*given: object, **named: object) -> object:
            self.examined += 1
            return check(*given, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(ormlint.check, "check", counted)

    def check(self, *arguments: str, text: str | None = None) -> Result:
        """Returns what a check writes, and counts whether it examined anything."""
        return CliRunner().invoke(main, ["check", *arguments], input=text)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        self.write(path, (self.root / path).read_text(encoding="utf-8") + text)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    root = tmp_path / "project"
    made = Desk(root, monkeypatch)
    for path, text in FILES.items():
        made.write(path, text)
    monkeypatch.chdir(root)
    return made


def outcome(done: Result) -> tuple[str, str, int]:
    return done.stdout, done.stderr, done.exit_code


def test_what_has_not_changed_is_not_examined_again(desk: Desk) -> None:
    first = desk.check()
    assert "ORM107" in first.stdout
    assert first.exit_code == 1
    assert outcome(desk.check()) == outcome(first)
    assert desk.examined == 1
    (desk.root / "shop/views.py").touch()
    assert outcome(desk.check()) == outcome(first)
    assert desk.examined == 1


CHANGES: dict[str, Callable[[Desk], object]] = {
    "a file": lambda desk: desk.append("shop/views.py", "\n\ndef names():\n    return [book.author.name for book in Book.objects.all()]\n"),
    "a file of the same size": lambda desk: desk.write("shop/models.py", FILES["shop/models.py"].replace("Author", "Editor")),
    "a blank line before a finding": lambda desk: desk.write("shop/templates/shop/show.html", "\n" + FILES["shop/templates/shop/show.html"]),
    "a new file": lambda desk: desk.write("shop/more.py", MORE),
    "a new empty file": lambda desk: desk.write("shop/more.py", ""),
    "a file that is gone": lambda desk: (desk.root / "site1/urls.py").unlink(),
    "a file that has moved": lambda desk: (desk.root / "shop/views.py").rename(desk.root / "shop/pages.py"),
    "a template that is gone": lambda desk: (desk.root / "shop/templates/shop/show.html").unlink(),
    "a new template": lambda desk: desk.write("shop/templates/shop/more.html", ""),
    "settings": lambda desk: desk.append("site1/settings.py", "DEBUG = True\n"),
    "a file that cannot be read": lambda desk: desk.write("shop/views.py", "def show(:\n"),
    "a file that is a directory": lambda desk: ((desk.root / "shop/__init__.py").unlink(), (desk.root / "shop/__init__.py").mkdir()),
    "the configuration": lambda desk: desk.append("pyproject.toml", 'ignore = ["ORM107"]\n'),
    "what is excluded": lambda desk: desk.append("pyproject.toml", 'extend-exclude = ["shop/templates"]\n'),
    "what Git ignores": lambda desk: (desk.write(".gitignore", "templates/\n"), (desk.root / ".git").mkdir()),
    "the requirements": lambda desk: desk.write("requirements.txt", "django<3\n"),
    "new requirements": lambda desk: desk.write("requirements/base.txt", "django<3\n"),
    "the database": lambda desk: desk.write("requirements.txt", "django\nmysqlclient\n"),
    "a stub program": lambda desk: desk.write("stubs/books.py", "def keep(rows):\n    return list(rows)\n"),
    "a new stub program": lambda desk: desk.write("stubs/more.py", ""),
    "a project inside": lambda desk: shutil.copytree(desk.root / "shop", desk.root / "store"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_may_change_the_answer_is_asked_anew(desk: Desk, change: Callable[[Desk], object]) -> None:
    desk.check()
    change(desk)
    again = desk.check()
    assert desk.examined == 2
    assert outcome(again) == outcome(desk.check("--no-cache"))
    assert outcome(desk.check()) == outcome(again)
    assert desk.examined == 3


def test_what_is_changed_back_is_known(desk: Desk) -> None:
    first = desk.check()
    desk.append("shop/views.py", "x = 1\n")
    desk.check()
    desk.write("shop/views.py", FILES["shop/views.py"])
    assert outcome(desk.check()) == outcome(first)
    assert desk.examined == 2


ASKED = (
    ("--output-format", "json"),
    ("--output-format", "concise"),
    ("--select", "ORM1"),
    ("--extend-select", "ORM1"),
    ("--ignore", "ORM107"),
    ("--preview",),
    ("--unsafe-fixes",),
    ("--include-tests",),
    ("--include-migrations",),
    ("--statistics",),
    ("--exit-zero",),
    ("--quiet",),
    ("shop",),
    ("shop/views.py",),
    ("--config", "pyproject.toml"),
)


@pytest.mark.parametrize("arguments", ASKED, ids=" ".join)
def test_another_question_has_another_answer(desk: Desk, arguments: tuple[str, ...]) -> None:
    desk.check()
    first = desk.check(*arguments)
    assert desk.examined == 2
    assert outcome(desk.check(*arguments)) == outcome(first) == outcome(desk.check(*arguments, "--no-cache"))
    assert desk.examined == 3


def test_standard_input_is_an_input(desk: Desk) -> None:
    given = ("-", "--stdin-filename", "shop/views.py")
    first = desk.check(*given, text=FILES["shop/views.py"])
    other = desk.check(*given, text="")
    assert outcome(first) != outcome(other) == outcome(desk.check(*given, text=""))
    assert desk.examined == 2
    desk.check()
    assert desk.examined == 3


def test_colour_and_the_directory_are_part_of_the_question(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = desk.check()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in desk.check().stdout
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.chdir(desk.root / "shop")
    assert desk.check("..").stdout != plain.stdout
    assert desk.examined == 3


def _of_a_source(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("../ormlint/more.py", "")
    monkeypatch.setattr(ormlint, "__path__", [*ormlint.__path__, str(desk.root.parent / "ormlint")])


SELVES: dict[str, Callable[[Desk, pytest.MonkeyPatch], None]] = {
    "ormlint": lambda desk, monkeypatch: monkeypatch.setattr(ormlint, "__version__", "9"),
    "its sources": _of_a_source,
    "Python": lambda desk, monkeypatch: monkeypatch.setattr("sys.version", "3.99"),
    "a package": lambda desk, monkeypatch: monkeypatch.setattr(kept_reports, "version", lambda name: "99"),
}


@pytest.mark.parametrize("change", SELVES.values(), ids=SELVES)
def test_another_program_may_answer_otherwise(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, change: Callable[[Desk, pytest.MonkeyPatch], None]
) -> None:
    desk.check()
    change(desk, monkeypatch)
    desk.check()
    assert desk.examined == 2


RULE = 'from ormlint.api import rule\n\n@rule("HSE101", "house")\ndef check(project, log):\n    yield from ()\n'


def test_with_rules_of_others_nothing_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("lint/house.py", RULE)
    desk.append("pyproject.toml", 'rules = ["lint"]\n')
    desk.check()
    desk.check()
    assert desk.examined == 2
    desk.write("pyproject.toml", FILES["pyproject.toml"])
    monkeypatch.setattr(kept_reports, "entry_points", lambda group: ["house"] if group == "ormlint.rules" else [])
    desk.check()
    desk.check()
    assert desk.examined == 4


@pytest.mark.parametrize("arguments", [("--no-cache",), ("--verbose",)], ids=" ".join)
def test_some_want_to_see_it_done(desk: Desk, arguments: tuple[str, ...]) -> None:
    desk.check()
    desk.check(*arguments)
    desk.check(*arguments)
    assert desk.examined == 3


def test_a_failure_is_not_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patched:
        patched.setattr(ormlint.run, "analyse", fail)
        assert desk.check().exit_code == 2
    assert desk.check().exit_code == 1


def test_a_damaged_report_is_none(desk: Desk) -> None:
    first = desk.check("--quiet")
    (report,) = (desk.root / ".ormlint_cache").glob("report-*")
    whole = report.read_bytes()
    for number in range(0, len(whole), max(1, len(whole) // 12)):
        report.write_bytes(whole[:number] + bytes([whole[number] ^ 1]) + whole[number + 1 :])
        examined = desk.examined
        assert outcome(desk.check("--quiet")) == outcome(first)
        assert desk.examined == examined + 1
    report.write_bytes(whole[:-1])
    assert outcome(desk.check("--quiet")) == outcome(first)


def test_a_cache_that_cannot_be_written_changes_nothing(desk: Desk) -> None:
    desk.write(".ormlint_cache", "")
    assert desk.check().stdout == desk.check("--no-cache").stdout


def test_those_asked_for_last_are_kept(desk: Desk) -> None:
    for number in range(kept_reports.MOST + 4):
        desk.check("-", "--stdin-filename", "shop/views.py", text=f"x = {number}\n")
        desk.check("--quiet")
    found = list((desk.root / ".ormlint_cache").glob("report-*"))
    assert len(found) == kept_reports.MOST
    examined = desk.examined
    desk.check("--quiet")
    assert desk.examined == examined
