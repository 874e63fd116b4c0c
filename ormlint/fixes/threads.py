"""An endpoint that waits for its database and awaits nothing becomes a plain function, which FastAPI and Starlette run in a thread of a pool.

@app.get("/stock")                     @app.get("/stock")
async def stock(): …                   def stock(): …

It must be the framework alone that calls it: others would await what it gives.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import libcst as cst

from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import Applicability, Fix, RunInThread
from ormlint.text import Edit, Site

_DESCRIPTION = "make it a `def` endpoint, which runs in a thread"
_REASON = "several requests run it at the same time then, each in a thread: what they share, and what belongs to a thread, has to stand that"
_AWAITS = "the function awaits something"
_IN_LOOP = "the function works with the event loop, which a thread has not"
_NAMED = "something else than the router may call the function, and awaits it"
_DEFINITION = re.compile(r"async(?:\s|\\\r?\n)+(?=def(?:\s|\\\r?\n)+$)")
# Modules whose functions want a running event loop, and methods by which one is had or used whatever its name is.
_LOOPS = frozenset({"asyncio", "anyio", "trio", "curio", "uvloop"})
_LOOPING = frozenset({"create_task", "ensure_future", "get_event_loop", "get_running_loop", "call_soon", "call_later", "run_in_executor"})


def run_in_thread(sources: Sources, intent: RunInThread, paths: Iterable[str]) -> Fix | None:
    """Returns the fix, a display-only one if something awaits in the function or awaits it, None if the place is not found."""
    file, statement = sources.file(intent.site), sources.statement(intent.site)
    if file is None or statement is None:
        return None
    functions = [each for each in statement.within(statement.module, cst.FunctionDef) if _encloses(statement, each, intent.site)]
    if not functions or functions[-1].asynchronous is None:
        return None
    obstacle = _obstacle(sources, file, statement, functions[-1], paths)
    edit = _edit(file, statement, functions[-1])
    if obstacle or edit is None:
        return Fix(Applicability.DISPLAY, _DESCRIPTION, (), obstacle) if obstacle else None
    return Fix(Applicability.UNSAFE, _DESCRIPTION, (edit,), _REASON)


def _encloses(statement: Statement, function: cst.FunctionDef, site: Site) -> bool:
    start, end = statement.span(function.body)
    return start <= site.start and site.end <= end


def _edit(file: SourceFile, statement: Statement, function: cst.FunctionDef) -> Edit | None:
    """Returns the edit that takes `async` and the white space behind it away."""
    start, name = statement.span(function)[0], statement.span(function.name)[0]
    found = _DEFINITION.search(file.text[start:name])
    return file.edit(start + found.start(), start + found.end(), "") if found is not None else None


def _obstacle(sources: Sources, file: SourceFile, statement: Statement, function: cst.FunctionDef, paths: Iterable[str]) -> str:
    for node in (node for kind in (cst.Await, cst.Asynchronous, cst.Yield) for node in statement.within(function.body, kind)):
        if node is not function.asynchronous:
            return _AWAITS
    names = {node.value for node in statement.within(function.body, cst.Name)}
    if names & _LOOPING or names & _LOOPS:
        return _IN_LOOP
    return _NAMED if _is_named(sources, file, function.name.value, paths) else ""


# ------------------------------------------------------------------------------------------------- who else may call it
def _is_named(sources: Sources, file: SourceFile, name: str, paths: Iterable[str]) -> bool:
    """Whether something in the project may mean the function by its name; what only has that name too does not count where that is certain."""
    if _is_read(file.text, name):
        return True
    path, word = PurePosixPath(file.path), re.compile(rf"\b{re.escape(name)}\b")
    module = path.parent.name if path.name == "__init__.py" else path.stem
    others = (sources.file(Site(other, 0, 0)) for other in paths if other != file.path)
    return any(_names(other, module, name) for other in others if other is not None and word.search(other.text))


def _is_read(text: str, name: str) -> bool:
    """Whether a file reads the variable that holds the function: not one of the same name in another function."""
    try:
        module = symtable.symtable(text.removeprefix("\ufeff"), "module", "exec")
    except (SyntaxError, ValueError):
        return True
    return any(_reads(scope, name) for scope in _scopes(module))


def _scopes(scope: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield scope
    for inner in scope.get_children():
        yield from _scopes(inner)


def _reads(scope: symtable.SymbolTable, name: str) -> bool:
    if name not in scope.get_identifiers() or not scope.lookup(name).is_referenced():
        return False
    symbol = scope.lookup(name)
    own = isinstance(scope, symtable.Function) and symbol.is_local()
    return not own or any(isinstance(child, symtable.Function) and child.get_name() == name for child in scope.get_children())


def _names(file: SourceFile, module: str, name: str) -> bool:
    """Whether a file imports the name from a module called so, or has the module and reads an attribute of that name."""
    has_module = reads = False
    for node in (node for lines in file.body for top in lines.nodes for node in ast.walk(top)):
        match node:
            case ast.ImportFrom(module=source, names=aliases):
                imported = {alias.name for alias in aliases}
                if (source or "").rpartition(".")[2] in (module, "") and not imported.isdisjoint((name, "*")):
                    return True
                has_module |= module in imported
            case ast.Import(names=aliases):
                has_module |= any(module in alias.name.split(".") for alias in aliases)
            case ast.Attribute(attr=attribute):
                reads |= attribute == name
    return has_module and reads
