"""Statements of `ast`, lowered to the intermediate language.

One function per node class: each takes the node, the line offsets and the list to which it appends what the
statement becomes, which is nothing for `pass`, and several nodes for `import a, b` or `match`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ormlint.ir import nodes as ir
from ormlint.read.expressions import BINARY, Offsets, lower, lower_keywords, lower_optional, lower_params, span, unknown
from ormlint.read.lines import source_of

Out = list[ir.Stmt]


def lower_block(nodes: list[ast.stmt], at: Offsets) -> Out:
    """Returns the statements in the intermediate language."""
    out: Out = []
    for node in nodes:
        LOWER[type(node)](node, at, out)
    return out


def _nothing(node: ast.stmt, at: Offsets, out: Out) -> None:
    """`pass`, `global`, `nonlocal` and type aliases do nothing at run time that matters."""


def _expr(node: ast.Expr, at: Offsets, out: Out) -> None:
    if type(node.value) is not ast.Constant:  # docstrings and `...`
        value = lower(node.value, at)
        out.append(ir.Expr(*span(node, at), value))


def _assign(node: ast.Assign, at: Offsets, out: Out) -> None:
    out.append(ir.Assign(*span(node, at), [lower(target, at) for target in node.targets], lower(node.value, at)))


def _ann_assign(node: ast.AnnAssign, at: Offsets, out: Out) -> None:
    target, annotation = lower(node.target, at), lower(node.annotation, at)
    out.append(ir.Assign(*span(node, at), [target], lower_optional(node.value, at), "", annotation))


def _aug_assign(node: ast.AugAssign, at: Offsets, out: Out) -> None:
    out.append(ir.Assign(*span(node, at), [lower(node.target, at)], lower(node.value, at), BINARY[type(node.op)]))


def _delete(node: ast.Delete, at: Offsets, out: Out) -> None:
    out.append(ir.Delete(*span(node, at), [lower(target, at) for target in node.targets]))


def _if(node: ast.If, at: Offsets, out: Out) -> None:
    out.append(ir.If(*span(node, at), lower(node.test, at), lower_block(node.body, at), lower_block(node.orelse, at)))


def _for(node: ast.For, at: Offsets, out: Out) -> None:
    out.append(_loop(node, at, False))


def _async_for(node: ast.AsyncFor, at: Offsets, out: Out) -> None:
    out.append(_loop(node, at, True))


def _loop(node: ast.For | ast.AsyncFor, at: Offsets, is_async: bool) -> ir.Loop:
    target, source = lower(node.target, at), lower(node.iter, at)
    return ir.Loop(*span(node, at), target, source, lower_block(node.body, at), lower_block(node.orelse, at), is_async)


def _while(node: ast.While, at: Offsets, out: Out) -> None:
    out.append(ir.While(*span(node, at), lower(node.test, at), lower_block(node.body, at), lower_block(node.orelse, at)))


def _try(node: ast.Try, at: Offsets, out: Out) -> None:
    body = lower_block(node.body, at)
    handlers = [
        ir.Handler(*span(handler, at), lower_optional(handler.type, at), handler.name or "", lower_block(handler.body, at))
        for handler in node.handlers
    ]
    out.append(ir.Try(*span(node, at), body, handlers, lower_block(node.orelse, at), lower_block(node.finalbody, at)))


def _with(node: ast.With, at: Offsets, out: Out) -> None:
    items = [(lower(item.context_expr, at), lower_optional(item.optional_vars, at)) for item in node.items]
    out.append(ir.With(*span(node, at), items, lower_block(node.body, at), type(node) is not ast.With))


def _return(node: ast.Return, at: Offsets, out: Out) -> None:
    out.append(ir.Return(*span(node, at), lower_optional(node.value, at)))


def _raise(node: ast.Raise, at: Offsets, out: Out) -> None:
    out.append(ir.Raise(*span(node, at), lower_optional(node.exc, at)))


def _assert(node: ast.Assert, at: Offsets, out: Out) -> None:
    out.append(ir.Assert(*span(node, at), lower(node.test, at)))


def _break(node: ast.Break, at: Offsets, out: Out) -> None:
    out.append(ir.Jump(*span(node, at), "break"))


def _continue(node: ast.Continue, at: Offsets, out: Out) -> None:
    out.append(ir.Jump(*span(node, at), "continue"))


def _function(node: ast.FunctionDef, at: Offsets, out: Out) -> None:
    decorators = [lower(decorator, at) for decorator in node.decorator_list]
    params = lower_params(node.args, at)
    returns = lower_optional(node.returns, at)
    source = source_of(at)
    outer, source.yields = source.yields, False
    body = lower_block(node.body, at)
    is_generator, source.yields = source.yields, outer
    is_async = type(node) is not ast.FunctionDef
    out.append(ir.Function(*span(node, at), node.name, params, body, decorators, returns, is_async, is_generator, _has_docstring(node.body)))


def _has_docstring(body: list[ast.stmt]) -> bool:
    first = body[0]
    return type(first) is ast.Expr and type(first.value) is ast.Constant and type(first.value.value) is str


def _class(node: ast.ClassDef, at: Offsets, out: Out) -> None:
    decorators = [lower(decorator, at) for decorator in node.decorator_list]
    bases, keywords = [lower(base, at) for base in node.bases], lower_keywords(node.keywords, at)
    out.append(ir.Class(*span(node, at), node.name, bases, keywords, lower_block(node.body, at), decorators))


def _import(node: ast.Import, at: Offsets, out: Out) -> None:
    for alias in node.names:
        out.append(ir.Import(*span(alias, at), alias.name, "", alias.asname or alias.name.partition(".")[0]))


def _import_from(node: ast.ImportFrom, at: Offsets, out: Out) -> None:
    for alias in node.names:
        out.append(ir.Import(*span(alias, at), node.module or "", alias.name, alias.asname or alias.name, node.level))


def _match(node: ast.Match, at: Offsets, out: Out) -> None:
    subject = lower(node.subject, at)
    out.append(ir.Expr(subject.start, subject.end, subject))
    chain: Out = []
    for case in reversed(node.cases):
        start, end = span(case.pattern, at)[0], span(case.body[-1], at)[1]
        body: Out = [_capture(name, pattern, subject, case.pattern, at) for name, pattern in _captured(case.pattern)]
        body += _attributes(case.pattern, subject, at)
        if case.guard is not None:
            body.append(ir.If(start, end, lower(case.guard, at), lower_block(case.body, at), []))
        else:
            body += lower_block(case.body, at)
        if case.guard is None and _is_irrefutable(case.pattern):
            chain = body
        else:
            chain = [ir.If(start, chain[-1].end if chain else end, unknown(*span(case.pattern, at)), body, chain)]
    out += chain


def _captured(pattern: ast.pattern) -> list[tuple[str, ast.pattern]]:
    found: list[tuple[str, ast.pattern]] = []
    for part in ast.walk(pattern):
        name = part.rest if isinstance(part, ast.MatchMapping) else part.name if isinstance(part, (ast.MatchAs, ast.MatchStar)) else None
        if name is not None and isinstance(part, ast.pattern):
            found.append((name, part))
    return found


def _capture(name: str, part: ast.pattern, subject: ir.Expr_, pattern: ast.pattern, at: Offsets) -> ir.Stmt:
    """Binds a captured name: to the subject if the whole of it is captured and is a plain name, else to something unknown."""
    start, end = span(part, at)
    value = ir.Name(start, end, subject.id) if part is pattern and type(part) is ast.MatchAs and type(subject) is ir.Name else unknown(start, end)
    return ir.Assign(start, end, [ir.Name(start, end, name)], value)


def _attributes(pattern: ast.pattern, subject: ir.Expr_, at: Offsets) -> Iterator[ir.Stmt]:
    """Yields the reads of attributes that a class pattern makes: `case Book(shop=shop)` is `shop = book.shop`."""
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
        pattern = pattern.pattern
    if not isinstance(pattern, ast.MatchClass) or not isinstance(subject, (ir.Name, ir.Attr)):
        return
    for name, part in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
        start, end = span(part, at)
        owner = ir.Name(start, end, subject.id) if isinstance(subject, ir.Name) else subject
        read = ir.Attr(start, end, owner, name)
        if isinstance(part, ast.MatchAs) and part.name is not None:
            yield ir.Assign(start, end, [ir.Name(start, end, part.name)], read)
        else:
            yield ir.Expr(start, end, read)
        yield from _attributes(part, read, at)


def _is_irrefutable(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


LOWER: dict[type[ast.AST], Callable[[Any, Offsets, Out], None]] = {
    ast.Pass: _nothing,
    ast.Global: _nothing,
    ast.Nonlocal: _nothing,
    ast.Expr: _expr,
    ast.Assign: _assign,
    ast.AnnAssign: _ann_assign,
    ast.AugAssign: _aug_assign,
    ast.Delete: _delete,
    ast.If: _if,
    ast.For: _for,
    ast.AsyncFor: _async_for,
    ast.While: _while,
    ast.Try: _try,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Match: _match,
}
if sys.version_info >= (3, 11):
    LOWER[ast.TryStar] = _try
if sys.version_info >= (3, 12):
    LOWER[ast.TypeAlias] = _nothing
