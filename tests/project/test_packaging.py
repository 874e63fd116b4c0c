"""What is shipped: every package, every page, the schema, the licence, the hook."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import setuptools
import tomli
import yaml

import ormlint

ROOT = Path(__file__).parents[2]


def shipped(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Returns the packages that setup.py declares."""
    declared: dict[str, list[str]] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **given: declared.update(given))
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    return set(declared["packages"])


def test_every_folder_with_code_is_a_package_that_is_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = {path.parent.relative_to(ROOT) for path in (ROOT / "ormlint").rglob("*.py") if "library" not in path.relative_to(ROOT).parts[:-1]}
    rules = {path.parent.relative_to(ROOT) for path in (ROOT / "rules").rglob("*.py")}
    expected = {".".join(folder.parts) for folder in engine} | {".".join(("ormlint", *folder.parts)) for folder in rules}
    assert expected <= shipped(monkeypatch)


def test_data_files_are_declared() -> None:
    data = tomli.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "*.md" in data["*"]
    assert "py.typed" in data["ormlint"]
    assert "schema.json" in data["ormlint.report"]
    assert "**/*.py" in data["ormlint.library"]
    assert (ROOT / "ormlint" / "py.typed").exists()
    json.loads((ROOT / "ormlint" / "report" / "schema.json").read_text())


def test_the_changelog_is_open_for_the_next_change() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text() or f"## [{ormlint.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_hook_analyses_the_project_once() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] == "ormlint"
    assert hook["entry"] == "ormlint check"
    assert hook["require_serial"] is True
    assert hook["types_or"] == ["python", "html", "jinja"]
