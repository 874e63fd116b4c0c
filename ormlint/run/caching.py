"""Which statements stand behind a look into a cache, and so run once per key and not once per round.

if key not in books:             if key in books:          shelf = cache.get(key)
    books[key] = load(key)           return books[key]     if shelf is not None:
                                 books[key] = load(key)        return shelf
                                                           cache.set(key, load(key))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library.functions import MEMOISING
from ormlint.link.names import FunctionInfo, decorator_name
from ormlint.run.frame import Env, Frame
from ormlint.run.machine import text_of
from ormlint.run.objects import assigned_attributes
from ormlint.run.values import Mapping

_FILLS = ("set", "add", "setdefault", "append")
_LOADED = frozenset({("in", "dict"), ("in", "__dict__"), ("not in", "unloaded")})  # of the state that SQLAlchemy keeps of a row


def returns_kept(body: list[ir.Stmt], position: int) -> bool:
    """Whether the statement there returns what a cache has, and those behind it put into the cache what it lacks."""
    stmt = body[position]
    if not isinstance(stmt, ir.If) or not _returns(stmt):
        return False
    rest = body[position + 1 :]
    return _fills_container(stmt, rest) or _fills_cache(body[: position + 1], rest)


def returns_own(body: list[ir.Stmt]) -> bool:
    """Whether a function gives back what an object has, if it has it, and else keeps there what it finds: `if self.key: return self.key`."""
    for position, stmt in enumerate(body):
        last = stmt.body[-1] if isinstance(stmt, ir.If) and stmt.body else None
        if isinstance(last, ir.Return) and isinstance(last.value, ir.Attr):
            own = text_of(last.value)
            kept = (s for s in body[position + 1 :] if isinstance(s, ir.Assign))
            if any(text_of(target) == own for s in kept for target in s.targets):
                return True
    return False


def _returns(stmt: ir.If) -> bool:
    last = stmt.body[-1] if stmt.body else None
    return isinstance(last, ir.Return) or (isinstance(last, ir.If) and _returns(last))


def _fills_container(stmt: ir.If, rest: list[ir.Stmt]) -> bool:
    names = {text_of(n) for n in _subjects(stmt.test)} if isinstance(stmt.body[-1], ir.Return) else ()
    return bool(names) and any(
        isinstance(s, ir.Assign) and any(isinstance(t, ir.Index) and text_of(t.value) in names for t in s.targets) for s in rest
    )


def _fills_cache(looked: list[ir.Stmt], rest: list[ir.Stmt]) -> bool:
    """Whether `cache.set(…)` stands behind `value = cache.get(…)`."""
    filled = {cache for stmt in _flat(rest) if isinstance(stmt, (ir.Expr, ir.Assign)) for cache in _receiver(stmt.value, ("set", "add"))}
    if not filled:
        return False
    return any(cache in filled for stmt in _flat(looked) if isinstance(stmt, ir.Assign) for cache in _receiver(stmt.value, ("get",)))


def _flat(body: Iterable[ir.Stmt]) -> Iterator[ir.Stmt]:
    for stmt in body:
        yield stmt
        if isinstance(stmt, ir.If):
            yield from _flat(stmt.body)


def _receiver(value: ir.Expr_ | None, methods: tuple[str, ...]) -> Iterator[str]:
    called = value.value if isinstance(value, ir.Await) else value
    if isinstance(called, ir.Bool):  # `domain = known or cache.get(key)`
        for part in called.values:
            yield from _receiver(part, methods)
    if isinstance(called, ir.Call) and isinstance(called.func, ir.Attr) and called.func.name in methods:
        yield text_of(called.func.value)


def guards_cache(stmt: ir.If) -> bool:
    """Whether the branch fills a cache that its test looked up: `if key not in cache: cache[key] = …`, `if cached is None: cache.set(…)`."""
    if _waits_for_change(stmt) or _asks_what_is_loaded(stmt.test):
        return True
    names = {text_of(n) for n in _subjects(stmt.test)}
    if not names:
        return False
    for inner in stmt.body:
        if isinstance(inner, ir.Assign):
            for target in inner.targets:
                if isinstance(target, ir.Index) and text_of(target.value) in names:
                    return True
                if isinstance(target, (ir.Name, ir.Attr)) and text_of(target) in names and isinstance(stmt.test, (ir.Compare, ir.Not)):
                    return True
        if isinstance(inner, (ir.Expr, ir.Assign)) and isinstance(inner.value, ir.Call) and isinstance(inner.value.func, ir.Attr):
            if inner.value.func.name in _FILLS and (text_of(inner.value.func.value) in names or "cache" in text_of(inner.value.func.value).lower()):
                return True
    return False


def guards_cache_in_else(stmt: ir.If) -> bool:
    """Whether the other branch runs for what a container lacks, and puts it there: `if key in self.jobs: … else: self.jobs[key] = …`."""
    if not stmt.orelse or not isinstance(stmt.test, ir.Compare) or stmt.test.op != "in":
        return False
    container = text_of(stmt.test.right)
    filled = (target for inner in walk(stmt.orelse) if isinstance(inner, ir.Assign) for target in inner.targets)
    return any(isinstance(target, ir.Index) and text_of(target.value) == container for target in filled)


def asks_what_others_give(f: Frame, test: ir.Expr_) -> str:
    """Returns the operator of a test for an attribute of a row that the class says is None until somebody gives it to rows, "" for others.

    # `sold = None` in the class, `if self.sold is not None:` in its methods, and `book.sold = figures[book.id]` where books are listed
    # not so if the method itself keeps there what it finds: that helps whoever asks the same row again, and each row asks once
    """
    cls, function = f.owner, f.function
    if cls is None or cls.model is None or function is None or not isinstance(test, ir.Compare) or test.op not in ("is", "is not"):
        return ""
    attribute = test.left
    if not isinstance(attribute, ir.Attr) or not isinstance(attribute.value, ir.Name) or attribute.value.id != "self" or not _is_none(test.right):
        return ""
    bound = next((c.bindings[attribute.name] for c in cls.mro if attribute.name in c.bindings), [])
    if not bound or not all(isinstance(each, ir.Assign) and _is_none(each.value) for each in bound):
        return ""
    return test.op if attribute.name not in assigned_attributes(function.node.body, "self") else ""


def leaves_if_given(f: Frame, stmt: ir.Stmt) -> bool:
    """Whether a statement returns where others have given a row what it is asked for: what stands behind it is for the other rows."""
    return isinstance(stmt, ir.If) and _returns(stmt) and asks_what_others_give(f, stmt.test) == "is not"


def _is_none(node: ir.Expr_ | None) -> bool:
    return isinstance(node, ir.Const) and node.value is None


def _asks_what_is_loaded(test: ir.Expr_) -> bool:
    """Whether a branch is taken for a row that has an attribute loaded: `if "author" in inspect(book).dict:`, `… not in inspect(book).unloaded`."""
    if not isinstance(test, ir.Compare) or not isinstance(test.left, ir.Const) or not isinstance(test.right, ir.Attr):
        return False
    return (test.op, test.right.name) in _LOADED


def _waits_for_change(stmt: ir.If) -> bool:
    """Whether a branch runs for the first of several in a row: `if book.shop_id != last: …; last = book.shop_id`."""
    test = stmt.test
    if not isinstance(test, ir.Compare) or test.op not in ("!=", "is not"):
        return False
    sides = {text_of(test.left), text_of(test.right)}
    kept = (inner for inner in stmt.body if isinstance(inner, ir.Assign) and inner.value is not None and not inner.op)
    return any({text_of(target), text_of(inner.value)} == sides for inner in kept for target in inner.targets if inner.value is not None)


def _subjects(test: ir.Expr_) -> list[ir.Expr_]:
    match test:
        case ir.Compare(op="not in"):
            return [test.right]
        case ir.Compare(op="in"):
            return [test.right]
        case ir.Compare(op="is") if isinstance(test.right, ir.Const) and test.right.value is None:
            return [_looked_into(test.left)]
        case ir.Not():
            return _subjects(test.value) or [_looked_into(test.value)]
        case ir.Bool():
            return [s for v in test.values for s in _subjects(v)]
        case _:
            return []


def _looked_into(node: ir.Expr_) -> ir.Expr_:
    """Returns the container of `books.get(key)`, of anything else the expression itself."""
    return node.func.value if isinstance(node, ir.Call) and isinstance(node.func, ir.Attr) and node.func.name == "get" else node


def is_fallback(f: Frame, stmt: ir.Try, handler: ir.Handler, env: Env) -> bool:
    """Whether an `except KeyError:` makes up for what is missing in a dict that was filled before the loops around it.

    # a dict that is empty before the loop is no more than a cache: each key is asked for once
    """
    if not f.loops or "KeyError" not in caught(handler):
        return False
    known = f.fallbacks.get(id(handler))  # a later round of the loop may find what this one puts in
    if known is None:
        looked = [env.get(node.value.id) for node in walk(stmt.body) if isinstance(node, ir.Index) and isinstance(node.value, ir.Name)]
        known = f.fallbacks[id(handler)] = any(isinstance(value, Mapping) and (value.known or value.element is not None) for value in looked)
    return known


def caught(handler: ir.Handler) -> set[str]:
    """Returns the bare names of the exceptions that a handler catches."""
    kinds = handler.catches.items if isinstance(handler.catches, ir.Seq) else [handler.catches]
    return {kind.name if isinstance(kind, ir.Attr) else kind.id if isinstance(kind, ir.Name) else "" for kind in kinds}


def keeps_results(function: FunctionInfo) -> bool:
    """Whether a decorator of a function keeps what it gives: `lru_cache`, `cache.memoize(60)`, `cached_as(…)`."""
    return any(_memoises(decorator_name(decorator)) for decorator in function.node.decorators)


def _memoises(decorator: str) -> bool:
    if decorator.startswith(("cached_property", "cache_control", "cache_page", "cached_view")):
        return False
    return decorator in MEMOISING or "memo" in decorator or decorator.startswith(("cache", "cached"))
