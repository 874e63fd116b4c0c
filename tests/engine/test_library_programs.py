"""The stub programs say nothing of the real packages that is not there."""

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ormlint.library import stubs

PROGRAMS = stubs.ROOT
INQUEST = """
import ast, importlib, inspect, json, pathlib, sys
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin"], USE_TZ=True)
import django
django.setup()

def inquire(path, name):
    tree = ast.parse(path.read_text())
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        return [f"cannot be imported: {error}"]
    return [f"{name}: {text}" for statement in tree.body for text in examine(statement, module)]

def examine(node, owner):
    match node:
        case ast.ImportFrom(module="ormlint.intrinsics"):
            pass
        case ast.ImportFrom():
            source = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(source, alias.name) and not importlib.util.find_spec(f"{node.module}.{alias.name}"):
                    yield f"{node.module} has no {alias.name}"
        case ast.ClassDef(name="Meta"):
            pass
        case ast.ClassDef(name=name) if name.startswith("_"):
            pass
        case ast.ClassDef():
            real = getattr(owner, node.name, None)
            if real is None:
                yield f"{owner} has no class {node.name}"
            else:
                yield from (text for inner in node.body for text in examine(inner, real))
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            real = getattr(owner, node.name, None)
            if real is None:
                yield f"{owner} has no {node.name}"
            else:
                yield from parameters(node, real)
        case ast.Assign(targets=[ast.Name(id=name)]):
            if not hasattr(owner, name):
                yield f"{owner} has no {name}"

def parameters(node, real):
    if not callable(real):
        return
    try:
        known = inspect.signature(real).parameters
    except (TypeError, ValueError):
        return
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return
    for argument in (*node.args.args, *node.args.kwonlyargs):
        if argument.arg not in known and argument.arg not in ("self", "cls"):
            yield f"{node.name} has no parameter {argument.arg}"

print(json.dumps({name: inquire(pathlib.Path(path), name) for path, name in json.load(sys.stdin)}))
"""


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PROGRAMS.rglob("*.py")):
        if is_alias(path):
            continue
        parts = path.relative_to(PROGRAMS).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_alias(path: Path) -> bool:
    """Whether a program only says that a module which some releases have is another one, which is examined itself."""
    statements = ast.parse(path.read_text()).body
    return bool(statements) and all(isinstance(s, ast.ImportFrom) and s.module and s.module.startswith("fastapi_pagination.") for s in statements)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[str]]:
    return inquest(modules())


def inquest(programs: Mapping[str, Path]) -> dict[str, list[str]]:
    """Returns what each program says of its package that is not so."""
    asked = json.dumps([(str(path), name) for name, path in programs.items()])
    done = subprocess.run([sys.executable, "-c", INQUEST], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[str]] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("name", modules())
def test_every_name_exists_in_the_package(name: str, verdicts: dict[str, list[str]]) -> None:
    assert verdicts[name] == []


def test_names_that_do_not_exist_are_found(tmp_path: Path) -> None:
    program = tmp_path / "http.py"
    program.write_text("from flask.json import frob\n\n\nclass JsonResponse:\n    pages = 1\n\n    def frob(self): ...\n\n\ndef frob(): ...\n")
    assert [text.rpartition(" ")[2] for text in inquest({"django.http": program})["django.http"]] == ["frob", "pages", "frob", "frob"]


def test_parameters_that_do_not_exist_are_found(tmp_path: Path) -> None:
    program = tmp_path / "shortcuts.py"
    program.write_text("def render(request, template_name, colour=None): ...\n")
    assert inquest({"django.shortcuts": program}) == {"django.shortcuts": ["django.shortcuts: render has no parameter colour"]}


@pytest.mark.parametrize("path", modules().values(), ids=modules())
def test_programs_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 200
