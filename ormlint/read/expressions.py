"""Expressions of `ast`, lowered to the intermediate language.

One function per node class, found by class in a dict: each takes the node and the line offsets (`lines.py`).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.read.lines import source_of

Offsets = list[int]
SEARCHES = frozenset({"any", "next"})  # the first that fits ends the generator that they are given
_LONG_CHAIN = 32
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1

BINARY = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.FloorDiv: "//",
}
_UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
_COMPARE = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def lower(node: ast.expr, at: Offsets) -> ir.Expr_:
    """Returns the expression in the intermediate language."""
    return LOWER[type(node)](node, at)


def lower_optional(node: ast.expr | None, at: Offsets) -> ir.Expr_ | None:
    """Returns the expression in the intermediate language, or None if there is none."""
    return None if node is None else LOWER[type(node)](node, at)


def unknown(start: int, end: int) -> ir.Const:
    """Returns an expression of which nothing is known."""
    return ir.Const(start, end, None, "other")


def _constant(node: ast.Constant, at: Offsets) -> ir.Expr_:
    value = node.value
    start, end = at[node.lineno] + node.col_offset, at[node.end_lineno] + node.end_col_offset  # type: ignore
    kind = type(value)
    if kind is str:
        if not value.isascii():  # type: ignore
            try:
                value.encode()  # type: ignore
            except UnicodeEncodeError:  # a lone surrogate, as in "\ud800", cannot be stored
                return unknown(start, end)
    elif kind is int:
        if not _SMALLEST <= value <= _LARGEST:  # type: ignore
            return unknown(start, end)
    elif kind is bytes or kind is complex or value is ...:
        return unknown(start, end)
    return ir.Const(start, end, value)  # type: ignore


def _name(node: ast.Name, at: Offsets) -> ir.Expr_:
    return ir.Name(at[node.lineno] + node.col_offset, at[node.end_lineno] + node.end_col_offset, node.id)  # type: ignore


def _attribute(node: ast.Attribute, at: Offsets) -> ir.Expr_:
    value = node.value
    return ir.Attr(
        at[node.lineno] + node.col_offset,
        at[node.end_lineno] + node.end_col_offset,  # type: ignore
        LOWER[type(value)](value, at),
        node.attr,
    )


def _subscript(node: ast.Subscript, at: Offsets) -> ir.Expr_:
    return ir.Index(
        at[node.lineno] + node.col_offset,
        at[node.end_lineno] + node.end_col_offset,  # type: ignore
        LOWER[type(node.value)](node.value, at),
        LOWER[type(node.slice)](node.slice, at),
    )


def _slice(node: ast.Slice, at: Offsets) -> ir.Expr_:
    return ir.Slice(*span(node, at), lower_optional(node.lower, at), lower_optional(node.upper, at), lower_optional(node.step, at))


def _call(node: ast.Call, at: Offsets) -> ir.Expr_:
    func = node.func
    args = [LOWER[type(arg)](arg, at) for arg in node.args] if node.args else []
    if type(func) is ast.Name and func.id in SEARCHES and args and isinstance(args[0], ir.Comp) and args[0].kind == "generator":
        args[0] = replace(args[0], body=_ending(args[0].body))
    return ir.Call(
        at[node.lineno] + node.col_offset,
        at[node.end_lineno] + node.end_col_offset,  # type: ignore
        LOWER[type(func)](func, at),
        args,
        lower_keywords(node.keywords, at) if node.keywords else [],
    )


def _ending(loop: ir.Loop) -> ir.Loop:
    """Returns a clause of a generator whose first element, or first that is true, is all that is wanted, and the clauses in it."""
    return replace(loop, ends=True, body=[_ending_in(stmt) for stmt in loop.body])


def _ending_in(stmt: ir.Stmt) -> ir.Stmt:
    match stmt:
        case ir.Loop():
            return _ending(stmt)
        case ir.If():
            return replace(stmt, body=[_ending_in(inner) for inner in stmt.body])
        case _:
            return stmt


def lower_keywords(keywords: list[ast.keyword], at: Offsets) -> list[tuple[str, ir.Expr_]]:
    """Returns keyword arguments as pairs; the name of `**value` is empty."""
    return [(keyword.arg or "", LOWER[type(keyword.value)](keyword.value, at)) for keyword in keywords]


def _lambda(node: ast.Lambda, at: Offsets) -> ir.Expr_:
    params = lower_params(node.args, at)
    source = source_of(at)
    outer = source.yields
    body = lower(node.body, at)
    source.yields = outer
    return ir.Lambda(*span(node, at), params, body)


def lower_params(args: ast.arguments, at: Offsets) -> list[ir.Param]:
    """Returns the parameters of a function or lambda, in the order in which they are written."""
    params: list[ir.Param] = []
    positional = [*args.posonlyargs, *args.args]
    first_default = len(positional) - len(args.defaults)
    for number, arg in enumerate(positional):
        kind = "/" if number < len(args.posonlyargs) else ""
        default = args.defaults[number - first_default] if number >= first_default else None
        params.append(_param(arg, kind, default, at))
    if args.vararg is not None:
        params.append(_param(args.vararg, "*", None, at))
    params.extend(_param(arg, "k", default, at) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True))
    if args.kwarg is not None:
        params.append(_param(args.kwarg, "**", None, at))
    return params


def _param(arg: ast.arg, kind: str, default: ast.expr | None, at: Offsets) -> ir.Param:
    start, end = span(arg, at)
    if default is None:
        return ir.Param(start, end, arg.arg, kind, lower_optional(arg.annotation, at))
    value = lower(default, at)
    return ir.Param(start, value.end, arg.arg, kind, lower_optional(arg.annotation, at), value)


def _comprehension(kind: str) -> Callable[[Any, Offsets], ir.Expr_]:
    def lower_comprehension(node: ast.ListComp, at: Offsets) -> ir.Expr_:
        element = lower(node.elt, at)
        return _comp(node, kind, ir.Emit(element.start, element.end, element), at)

    return lower_comprehension


def _dict_comprehension(node: ast.DictComp, at: Offsets) -> ir.Expr_:
    key, value = lower_optional(node.key, at), lower(node.value, at) if node.value is not None else None
    if key is None or value is None:  # `{**d for d in dicts}`
        element = key or value or unknown(*span(node, at))
        return _comp(node, "dict", ir.Emit(element.start, element.end, ir.Star(element.start, element.end, element)), at)
    return _comp(node, "dict", ir.Emit(key.start, value.end, value, key), at)


def _comp(node: ast.ListComp | ast.DictComp, kind: str, emit: ir.Emit, at: Offsets) -> ir.Expr_:
    """Nests the clauses, the last one innermost; they span the whole comprehension, for the element stands before them."""
    start, end = span(node, at)
    body: list[ir.Stmt] = [emit]
    for clause in reversed(node.generators):
        for test in reversed(clause.ifs):
            body = [ir.If(start, end, lower(test, at), body, [])]
        loop = ir.Loop(start, end, lower(clause.target, at), lower(clause.iter, at), body, [], bool(clause.is_async), "comprehension")
        body = [loop]
    return ir.Comp(start, end, kind, loop)


def _sequence(kind: str) -> Callable[[Any, Offsets], ir.Expr_]:
    def lower_sequence(node: ast.List, at: Offsets) -> ir.Expr_:
        return ir.Seq(
            at[node.lineno] + node.col_offset,
            at[node.end_lineno] + node.end_col_offset,  # type: ignore
            kind,
            [LOWER[type(item)](item, at) for item in node.elts],
        )

    return lower_sequence


def _dict(node: ast.Dict, at: Offsets) -> ir.Expr_:
    keys = [None if key is None else LOWER[type(key)](key, at) for key in node.keys]
    return ir.Map(*span(node, at), keys, [LOWER[type(value)](value, at) for value in node.values])


def _bool(node: ast.BoolOp, at: Offsets) -> ir.Expr_:
    return ir.Bool(*span(node, at), "and" if type(node.op) is ast.And else "or", [lower(value, at) for value in node.values])


def _compare(node: ast.Compare, at: Offsets) -> ir.Expr_:
    start, end = span(node, at)
    left = LOWER[type(node.left)](node.left, at)
    if len(node.ops) == 1:
        operand = node.comparators[0]
        return ir.Compare(start, end, _COMPARE[type(node.ops[0])], left, LOWER[type(operand)](operand, at))
    links: list[ir.Expr_] = []
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = lower(comparator, at)
        links.append(ir.Compare(left.start, right.end, _COMPARE[type(op)], left, right))
        left = right
    return ir.Bool(start, end, "and", links)


def _unary(node: ast.UnaryOp, at: Offsets) -> ir.Expr_:
    start, end = span(node, at)
    value = lower(node.operand, at)
    if type(node.op) is ast.Not:
        return ir.Not(start, end, value)
    if type(node.op) is ast.USub and type(value) is ir.Const and type(value.value) in (int, float):
        negative = -value.value  # type: ignore
        return unknown(start, end) if negative < _SMALLEST and type(negative) is int else ir.Const(start, end, negative)
    return ir.Binary(start, end, _UNARY[type(node.op)], None, value)


def _binary(node: ast.BinOp, at: Offsets) -> ir.Expr_:
    if type(node.left) is ast.BinOp and type(node.left.left) is ast.BinOp:
        chain = _chain(node)
        if len(chain) > _LONG_CHAIN:
            return _balanced([lower(operand, at) for operand in chain], BINARY[type(node.op)], *span(node, at))
    return ir.Binary(*span(node, at), BINARY[type(node.op)], lower(node.left, at), lower(node.right, at))


def _chain(node: ast.BinOp) -> list[ast.expr]:
    """Returns the operands of `a + b + … + z`, all operators being the same."""
    operands: list[ast.expr] = []
    left: ast.expr = node
    while type(left) is ast.BinOp and type(left.op) is type(node.op):
        operands.append(left.right)
        left = left.left
    return [left, *reversed(operands)]


def _balanced(operands: list[ir.Expr_], op: str, start: int, end: int) -> ir.Expr_:
    """Joins the operands of a long chain as a tree that is not deep, so that later stages need not recurse deeply."""
    if len(operands) == 1:
        return operands[0]
    half = len(operands) // 2
    first, second = operands[:half], operands[half:]
    left, right = _balanced(first, op, start, first[-1].end), _balanced(second, op, second[0].start, end)
    return ir.Binary(start, end, op, left, right)


def _conditional(node: ast.IfExp, at: Offsets) -> ir.Expr_:
    return ir.Cond(*span(node, at), lower(node.test, at), lower(node.body, at), lower(node.orelse, at))


def _starred(node: ast.Starred, at: Offsets) -> ir.Expr_:
    return ir.Star(*span(node, at), lower(node.value, at))


def _await(node: ast.Await, at: Offsets) -> ir.Expr_:
    return ir.Await(*span(node, at), lower(node.value, at))


def _yield(node: ast.Yield, at: Offsets) -> ir.Expr_:
    source_of(at).yields = True
    return ir.Yield(*span(node, at), lower_optional(node.value, at))


def _yield_from(node: ast.YieldFrom, at: Offsets) -> ir.Expr_:
    source_of(at).yields = True
    return ir.Yield(*span(node, at), lower(node.value, at), True)


def _walrus(node: ast.NamedExpr, at: Offsets) -> ir.Expr_:
    return ir.Walrus(*span(node, at), node.target.id, lower(node.value, at))


def _text(node: Any, at: Offsets) -> ir.Expr_:
    parts: list[ir.Expr_] = []
    _text_parts(node, node, at, parts)
    return ir.Text(*span(node, at), parts, _texts_around(node) if type(node) is ast.JoinedStr else [])


def _texts_around(node: Any) -> list[str]:
    """Returns the texts before, between and behind the expressions of a string, none if one of these is formatted."""
    texts = [""]
    for part in node.values:
        if type(part) is ast.Constant:
            texts[-1] += str(part.value)
        elif part.conversion != -1 or part.format_spec is not None:
            return []
        else:
            texts.append("")
    return texts


def _text_parts(node: Any, whole: ast.expr, at: Offsets, parts: list[ir.Expr_]) -> None:
    for part in node.values:
        if type(part) is ast.Constant:
            continue
        if not source_of(at).is_exact and not _stands_there(part.value, whole, at):
            for inner in ast.walk(part.value):
                ast.copy_location(inner, whole)
        parts.append(lower(part.value, at))
        if part.format_spec is not None:
            _text_parts(part.format_spec, whole, at, parts)


def _stands_there(value: ast.expr, whole: ast.expr, at: Offsets) -> bool:
    """Whether an expression of an f-string stands where `ast` says: the text there begins and ends like it.

    Before Python 3.12 positions inside of f-strings are computed after the fact, and often wrong.
    """
    if value.lineno != value.end_lineno or not whole.lineno <= value.lineno <= (whole.end_lineno or 0):
        return False
    (low, high), (start, end) = span(whole, at), span(value, at)
    if start < low or end > high:
        return False
    text = source_of(at).text
    first = _leftmost(value)
    begins = type(first) is ast.Name and text.startswith(first.id, start)
    return begins and (type(value) is not ast.Attribute or text.endswith(value.attr, start, end))


def _leftmost(value: ast.expr) -> ast.expr:
    while True:
        match value:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner) | ast.BinOp(left=inner) | ast.IfExp(body=inner):
                value = inner
            case _:
                return value


def span(node: Any, at: Offsets) -> tuple[int, int]:
    """Returns the character offsets between which the node stands."""
    return at[node.lineno] + node.col_offset, at[node.end_lineno] + node.end_col_offset


LOWER: dict[type[ast.AST], Callable[[Any, Offsets], ir.Expr_]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Call: _call,
    ast.Lambda: _lambda,
    ast.ListComp: _comprehension("list"),
    ast.SetComp: _comprehension("set"),
    ast.GeneratorExp: _comprehension("generator"),
    ast.DictComp: _dict_comprehension,
    ast.List: _sequence("list"),
    ast.Tuple: _sequence("tuple"),
    ast.Set: _sequence("set"),
    ast.Dict: _dict,
    ast.BoolOp: _bool,
    ast.Compare: _compare,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.IfExp: _conditional,
    ast.Starred: _starred,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.NamedExpr: _walrus,
    ast.JoinedStr: _text,
}
if sys.version_info >= (3, 14):
    LOWER[ast.TemplateStr] = _text
