"""Imports point down the list of stages only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = (
    "text",
    "problem",
    "suggest",
    "source",
    "ir",
    "config",
    "targets",
    "request",
    "cache_directory",
    "cache",
    "read",
    "inputs",
    "kept_reports",
    "library",
    "link",
    "run",
    "judge",
    "fixes",
    "report",
    "check",
    "dev",
    "cli",
)
PUBLIC_TO_RULES = {"ormlint.api", "ormlint.judge", "ormlint.text"}
MODULES = sorted((ROOT / "ormlint").rglob("*.py"))
RULES = sorted((ROOT / "rules").rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yields what a file imports anywhere in it, except for type checkers only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test) for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and id(node) not in typing_only:
            yield node.module


def layer(module: str) -> str:
    """Returns the stage of a dotted name below `ormlint`, "" for the package itself and the faces others look at."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] not in ("api", "__main__") else ""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def stage_of(path: Path) -> str:
    return layer(relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))


@pytest.mark.parametrize("path", [path for path in MODULES if stage_of(path) not in ("", "library")], ids=relative)
def test_a_stage_imports_only_what_lies_below_it(path: Path) -> None:
    own = LAYERS.index(stage_of(path))
    upwards = [name for name in imports(path) if name.startswith("ormlint.") and layer(name) and LAYERS.index(layer(name)) > own]
    assert not upwards


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_libcst_is_imported_only_where_text_is_rewritten(path: Path) -> None:
    allowed = stage_of(path) in ("fixes", "read")
    assert allowed or not [name for name in imports(path) if name.split(".")[0] == "libcst"]


@pytest.mark.parametrize("path", RULES, ids=relative)
def test_a_rule_knows_the_read_models_and_nothing_of_syntax(path: Path) -> None:
    foreign = [name for name in imports(path) if name.startswith(("ormlint", "ast", "libcst")) and not name.startswith(tuple(PUBLIC_TO_RULES))]
    assert not foreign


@pytest.mark.parametrize("path", [*MODULES, *RULES], ids=relative)
def test_no_module_is_one_that_everybody_fears(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 600


def test_the_engine_never_names_a_rule() -> None:
    named = [relative(path) for path in MODULES for name in imports(path) if name.startswith(("ormlint.rules.", "rules."))]
    assert not named
