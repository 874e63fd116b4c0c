"""Names of libraries and models: how a file spells them, and the import that is added when it cannot yet."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.helpers import get_full_name_for_node

from ormlint.fixes.chain import append_element, last_name
from ormlint.fixes.source import Lines, SourceFile
from ormlint.fixes.statement import Statement
from ormlint.link.schema import Model, Schema
from ormlint.text import Edit

_NEW_IMPORT = re.compile(r"(?P<head>\s*from [\w.]+ import )(?P<name>\w+)(?P<tail>\s+)")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a name is written at some place, and what must be added to the file for it."""

    text: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be written."""

    reason: str


@dataclass(frozen=True, slots=True)
class Binding:
    """What an import binds: `name` means `original` of `module`, or the module itself if `original` is empty."""

    name: str
    module: str
    original: str
    level: int = 0

    @property
    def path(self) -> str:
        """The dotted path of what is bound."""
        return f"{self.module}.{self.original}".strip(".") if self.original else self.module


def spell_import(file: SourceFile, offset: int, module: str, name: str) -> Spelling | Refusal:
    """Returns how `name` of the library module `module` is written at an offset, with the import if it is missing."""
    bindings = list(_visible(file, offset))
    for binding in bindings:
        if binding.path == f"{module}.{name}" and binding.original:
            return Spelling(binding.name)
    for binding in bindings:
        if binding.path == module:
            return Spelling(f"{binding.name}.{name}")
    if _is_taken(file, name, module):
        return Refusal(f"`{name}` means something else in this file")
    edits = _merged(file, offset, module, 0, name) or [_new_import(file, offset, module, name)]
    return Spelling(name, tuple(edits))


def spell_model(file: SourceFile, offset: int, model: Model, schema: Schema) -> Spelling | Refusal:
    """Returns how a model class is written at an offset.

    It is imported if the file imports from the model's module anyway; from another one it is not, for that may close a circle.
    """
    for top in file.body:
        if model.site.path == file.path and any(isinstance(node, ast.ClassDef) and node.name == model.name for node in top.nodes):
            return Spelling(model.name)
    bindings = list(_visible(file, offset))
    unique = sum(other.name == model.name for other in schema) == 1
    for binding in bindings:
        # a module that is not on the way to the model's own may have another class of that name
        if binding.original == model.name and (_may_lead_to if unique else _is_module)(_absolute(file, binding), model.site.path):
            return Spelling(binding.name)
    for binding in bindings:
        spelling = f"{binding.name}.{model.name}"
        path = f"{_absolute(file, binding)}.{binding.original}".strip(".")
        if _is_module(path, model.site.path) or (_may_lead_to(path, model.site.path) and re.search(rf"\b{re.escape(spelling)}\b", file.text)):
            return Spelling(spelling)
    named = re.search(rf"\b{re.escape(model.name)}\b", file.text) is not None
    if named and any(binding.name == "*" and _is_module(_absolute(file, binding), model.site.path) for binding in bindings):
        return Spelling(model.name)
    for binding in bindings:
        if _is_module(_absolute(file, binding), model.site.path) and not _is_taken(file, model.name, binding.module):
            edits = _merged(file, offset, binding.module, binding.level, model.name)
            if edits is not None:
                return Spelling(model.name, tuple(edits))
    return Refusal(f"`{model.name}` is not imported in this file")


def is_class(file: SourceFile, statement: Statement, node: cst.BaseExpression, model: Model, schema: Schema) -> bool:
    """Whether an expression is a model's class: by its own name, or by the one that the file imports it under."""
    if last_name(node) == model.name:
        return True
    spelling = spell_model(file, statement.span(node)[0], model, schema)
    return isinstance(spelling, Spelling) and not spelling.edits and spelling.text == statement.code(node)


def import_in_function(file: SourceFile, statement: Statement, offset: int, model: Model) -> Spelling | Refusal:
    """Returns the import of a SQLAlchemy model at the head of the function around an offset, where it can close no circle."""
    refusal = Refusal(f"`{model.name}` is not imported in this file")
    module = _module_of(file, offset, model)
    around = [node for node in statement.within(statement.module, cst.FunctionDef) if statement.span(node)[0] <= offset < statement.span(node)[1]]
    if not around or not module or _is_taken(file, model.name, module):
        return refusal
    body = [line for line in around[-1].body.body if isinstance(around[-1].body, cst.IndentedBlock) and not _is_text(line)]
    if not body:
        return refusal
    first = body[0].decorators[0] if isinstance(body[0], (cst.FunctionDef, cst.ClassDef)) and body[0].decorators else body[0]
    start = statement.span(first.body[0] if isinstance(first, cst.SimpleStatementLine) else first)[0]
    indentation = file.indentation(start)
    if indentation is None or start > offset:
        return refusal
    return Spelling(model.name, (file.insert(start, f"from {module} import {model.name}{file.newline}{indentation}"),))


def _module_of(file: SourceFile, offset: int, model: Model) -> str:
    """Returns the module of a model as the file's own imports would name it: from the package on that they begin with; "" if none does."""
    parts = model.site.path.removesuffix(".py").removesuffix("/__init__").split("/")
    packages = {binding.module.partition(".")[0] for binding in _visible(file, offset) if not binding.level}
    return next((".".join(parts[number:]) for number, part in enumerate(parts) if part in packages), "")


def _is_text(line: cst.CSTNode) -> bool:
    match line:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
        case _:
            return False


def in_one_statement(edits: list[Edit]) -> list[Edit]:
    """Returns the edits with import statements of one module that are added at one place made one statement."""
    added: dict[tuple[str, int, str, str], list[str]] = {}
    rest: list[Edit] = []
    for edit in edits:
        match = _NEW_IMPORT.fullmatch(edit.content) if edit.start == edit.end else None
        if match is None:
            rest.append(edit)
        else:
            added.setdefault((edit.path, edit.start, match["head"], match["tail"]), []).append(match["name"])
    joined = [Edit(path, at, at, f"{head}{', '.join(sorted(set(names)))}{tail}") for (path, at, head, tail), names in added.items()]
    return [*rest, *joined]


def is_imported(file: SourceFile, offset: int, name: str, module: str = "") -> bool:
    """Whether an import binds a name at an offset, and no other than one from a module, if that is given."""
    bound = [binding for binding in _visible(file, offset) if binding.name == name]
    return bool(bound) and (not module or all(_absolute(file, binding) == module for binding in bound))


def _absolute(file: SourceFile, binding: Binding) -> str:
    """Returns the module a binding is imported from, a relative one as seen from the project root."""
    if not binding.level:
        return binding.module
    package = file.path.split("/")[: -binding.level]
    return ".".join([*package, *filter(None, [binding.module])])


def _is_module(dotted: str, path: str) -> bool:
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return bool(dotted) and (module == dotted or module.endswith(f".{dotted}"))


def _may_lead_to(dotted: str, path: str) -> bool:
    """Whether a module is the one a model stands in, or a package around it, which may re-export it."""
    return bool(dotted) and f".{dotted}." in f".{path.removesuffix('.py').replace('/', '.')}."


def _visible(file: SourceFile, offset: int) -> Iterator[Binding]:
    """Yields the imports that are in force at an offset: those of the functions around it, then the module's."""
    line = file.line_of(offset)
    for top in file.body:
        if top.start <= offset < top.end:
            for node in top.nodes:
                yield from _local(node, line)
    for top in file.body:
        for node in top.nodes:
            yield from _bindings(node)
            if isinstance(node, ast.Try):
                for inner in node.body:
                    yield from _bindings(inner)


def _local(node: ast.AST, line: int) -> Iterator[Binding]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, (ast.stmt, ast.excepthandler, ast.match_case)) and _covers(inner, line):
            yield from _local(inner, line)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        for statement in node.body:
            if statement.lineno < line:
                yield from _bindings(statement)


def _covers(node: ast.AST, line: int) -> bool:
    first = getattr(node, "lineno", line)  # a `case` has no place of its own
    return bool(first <= line <= getattr(node, "end_lineno", line))


def _bindings(node: ast.AST) -> Iterator[Binding]:
    if isinstance(node, ast.ImportFrom):
        yield from (Binding(alias.asname or alias.name, node.module or "", alias.name, node.level) for alias in node.names)
    elif isinstance(node, ast.Import):
        yield from (Binding(alias.asname or alias.name, alias.name, "") for alias in node.names)


def is_builtin(file: SourceFile, name: str) -> bool:
    """Whether the name of a built-in function means that function wherever it stands in a file."""
    return is_bound_nowhere(file, name) and not any(binding.name == "*" for binding in _all_bindings(file))


def is_bound_nowhere(file: SourceFile, name: str) -> bool:
    """Whether a file gives the name of a built-in function to nothing else; what `import *` brings is not known."""
    return not _is_taken(file, name, "builtins")


def is_defined_once(file: SourceFile, name: str) -> bool:
    """Whether a name that a file gives to a function at its top level is given to nothing else there."""
    if re.search(rf"\bglobal\b[^\n]*\b{name}\b", file.text):
        return False
    found = 0
    todo: list[ast.AST] = [node for top in file.body for node in top.nodes]
    while todo:
        node = todo.pop()
        found += _binds(node, name, "")
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            todo += ast.iter_child_nodes(node)
    return found == 1


def _all_bindings(file: SourceFile) -> Iterator[Binding]:
    for top in file.body:
        for node in top.nodes:
            yield from (binding for inner in ast.walk(node) for binding in _bindings(inner))


def _is_taken(file: SourceFile, name: str, module: str) -> bool:
    if not re.search(rf"\b{name}\b", file.text):
        return False
    for top in file.body:
        if not top.nodes and re.search(rf"\b{name}\b", file.text[top.start : top.end]):
            return True
        for statement in top.nodes:
            if any(_binds(node, name, module) for node in ast.walk(statement)):
                return True
    return False


def _binds(node: ast.AST, name: str, module: str) -> bool:
    match node:
        case ast.Name(id=bound, ctx=ast.Store() | ast.Del()) | ast.arg(arg=bound):
            return bound == name
        case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound) | ast.ExceptHandler(name=bound):
            return bound == name
        case ast.ImportFrom() | ast.Import():
            return any(binding.name.partition(".")[0] == name and binding.path != f"{module}.{name}" for binding in _bindings(node))
        case ast.MatchAs(name=bound) | ast.MatchStar(name=bound) | ast.MatchMapping(rest=bound):
            return bound == name
        case _:
            return False


def _merged(file: SourceFile, offset: int, module: str, level: int, name: str) -> list[Edit] | None:
    """Returns the edits that add a name to an import statement of the module that the file has, or None if it has none."""
    for top in file.body:
        if top.start > offset or not any(
            isinstance(node, ast.ImportFrom) and (node.module or "", node.level) == (module, level) for node in top.nodes
        ):
            continue
        statement = file.statement(top.start)
        if statement is None:
            continue
        for node in statement.within(statement.module, cst.ImportFrom):
            dotted = get_full_name_for_node(node.module) if node.module is not None else ""
            if (dotted, len(node.relative)) == (module, level) and not isinstance(node.names, cst.ImportStar):
                aliases = [(item.evaluated_name, *statement.span(item)) for item in node.names]
                last = node.names[-1].comma
                comma = statement.span(last)[0] + 1 if isinstance(last, cst.Comma) else None
                return _insert_name(file, name, aliases, comma)
    return None


def _insert_name(file: SourceFile, name: str, aliases: list[tuple[str, int, int]], after_comma: int | None) -> list[Edit]:
    names = [alias[0] for alias in aliases]
    for key in (_by_kind, _by_code, _by_letter):
        if names == sorted(names, key=key):
            following = next((alias for alias in aliases if key(alias[0]) > key(name)), None)
            if following is not None:
                indentation = file.list_indentation(following[1])
                separator = " " if indentation is None else file.newline + indentation
                return [file.insert(following[1], f"{name},{separator}")]
            break
    _, start, end = aliases[-1]
    return append_element(file, start, end, after_comma, [name])


def _by_kind(name: str) -> tuple[int, str]:
    """Sorts as isort does by default: CONSTANTS, Classes, then functions."""
    if name.isupper() and len(name) > 1:
        return 0, name
    return (1, name) if name[:1].isupper() else (2, name)


def _by_code(name: str) -> tuple[int, str]:
    return 0, name


def _by_letter(name: str) -> tuple[int, str]:
    return 0, name.lower()


def _new_import(file: SourceFile, offset: int, module: str, name: str) -> Edit:
    """Returns the edit that adds an import statement: behind the imports of the same library, else behind all imports at the top."""
    line = f"from {module} import {name}"
    before = [top for top in file.body if top.start <= offset]
    library = module.partition(".")[0]
    relatives = [(top, other) for top in before for other in _imported(top) if other.partition(".")[0] == library]
    for top, other in relatives:
        if other > module:
            return file.insert(top.start, f"{line}{file.newline}")
    place: Lines | None = relatives[-1][0] if relatives else None
    if place is None:
        for top in before:
            if not all(isinstance(node, (ast.Import, ast.ImportFrom)) or _is_docstring(node, file) for node in top.nodes):
                break
            place = top
    if place is None:
        return file.insert(file.body[0].start, f"{line}{file.newline * 2}")
    is_import = isinstance(place.nodes[-1], (ast.Import, ast.ImportFrom)) and getattr(place.nodes[-1], "module", "") != "__future__"
    return file.insert(place.end, f"{'' if is_import else file.newline}{line}{file.newline}")


def _imported(top: Lines) -> list[str]:
    """Returns the modules that a statement imports from, relative ones not included."""
    return [binding.module for node in top.nodes for binding in _bindings(node) if not binding.level]


def _is_docstring(node: ast.stmt, file: SourceFile) -> bool:
    first = file.body[0].nodes
    return bool(first) and node is first[0] and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
