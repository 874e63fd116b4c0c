"""The intermediate language as text, for people and for tests.

`print_module` writes one line per statement: its place (line:column-line:column, the end exclusive), then the statement
as pseudo-code. `?` is an expression of which nothing is known. `print_tree` writes one line per node instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

from ormlint.ir import nodes as ir
from ormlint.text import LineIndex


def print_module(module: ir.Module, *, places: bool = True) -> str:
    """Returns the module as pseudo-code, one line per statement, with or without places."""
    index = LineIndex(tuple(module.lines), module.length)
    lines = []
    for depth, statement, text in _block(module.body, 0):
        place = f"{_place(statement, index):<14} " if places and statement is not None else " " * 15 if places else ""
        lines.append(f"{place}{'    ' * depth}{text}\n")
    return "".join(lines)


def print_tree(module: ir.Module) -> str:
    """Returns the module as a tree: every node on a line with its place, its kind and its plain fields."""
    index = LineIndex(tuple(module.lines), module.length)
    return "".join(f"{_place(node, index):<14} {'  ' * depth}{text}\n" for depth, node, text in _tree(module.body, 0))


def _place(node: ir.Node, index: LineIndex) -> str:
    start, end = index.position(node.start), index.position(node.end)
    return f"{start.line}:{start.column}-{end.line}:{end.column}"


def _tree(value: object, depth: int) -> Iterator[tuple[int, ir.Node, str]]:
    if isinstance(value, ir.Node):
        fields = [(name, getattr(value, name)) for name in value.__struct_fields__ if name not in ("start", "end")]
        plain = [f"{name}={field!r}" for name, field in fields if isinstance(field, (str, int, float)) and field not in ("", False)]
        yield depth, value, " ".join([type(value).__name__, *plain])
        for _, field in fields:
            yield from _tree(field, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tree(item, depth)


Line = tuple[int, "ir.Node | None", str]


def _block(statements: Iterable[ir.Stmt], depth: int) -> Iterator[Line]:
    for statement in statements:
        yield from _statement(statement, depth)


def _clause(head: str, body: list[ir.Stmt], depth: int, node: ir.Node | None = None) -> Iterator[Line]:
    if body:
        yield depth, node, head
        yield from _block(body, depth + 1)


def _statement(node: ir.Stmt, depth: int) -> Iterator[Line]:
    match node:
        case ir.If(test=test, body=body, orelse=orelse):
            yield depth, node, f"if {expression(test)}:"
            yield from _block(body, depth + 1)
            yield from _clause("else:", orelse, depth)
        case ir.Loop(body=body, orelse=orelse):
            yield depth, node, f"{_loop_head(node)}:"
            yield from _block(body, depth + 1)
            yield from _clause("else:", orelse, depth)
        case ir.While(test=test, body=body, orelse=orelse):
            yield depth, node, f"while {expression(test)}:"
            yield from _block(body, depth + 1)
            yield from _clause("else:", orelse, depth)
        case ir.Try(body=body, handlers=handlers, orelse=orelse, final=final):
            yield depth, node, "try:"
            yield from _block(body, depth + 1)
            for handler in handlers:
                name = f" as {handler.name}" if handler.name else ""
                yield depth, handler, f"except{_after(handler.catches)}{name}:"
                yield from _block(handler.body, depth + 1)
            yield from _clause("else:", orelse, depth)
            yield from _clause("finally:", final, depth)
        case ir.With(items=items, body=body, is_async=is_async):
            managers = ", ".join(expression(value) + (f" as {expression(target)}" if target else "") for value, target in items)
            yield depth, node, f"{'async ' if is_async else ''}with {managers}:"
            yield from _block(body, depth + 1)
        case ir.Function() | ir.Class():
            for decorator in node.decorators:
                yield depth, decorator, f"@{expression(decorator)}"
            yield depth, node, _function_head(node) if isinstance(node, ir.Function) else _class_head(node)
            yield from _block(node.body, depth + 1)
        case _:
            yield depth, node, _simple_statement(node)


def _simple_statement(
    node: ir.Expr | ir.Assign | ir.Delete | ir.Return | ir.Raise | ir.Assert | ir.Jump | ir.Emit | ir.Import,
) -> str:
    match node:
        case ir.Expr(value=value):
            return expression(value)
        case ir.Assign(targets=targets, value=value, op=op, annotation=annotation):
            declared = f": {expression(annotation)}" if annotation else ""
            return " = ".join(map(expression, targets)) + declared + (f" {op}= {expression(value)}" if value else "")
        case ir.Delete(targets=targets):
            return f"del {_commas(targets)}"
        case ir.Return(value=value):
            return f"return{_after(value)}"
        case ir.Raise(value=value):
            return f"raise{_after(value)}"
        case ir.Assert(test=test):
            return f"assert {expression(test)}"
        case ir.Jump(kind=kind):
            return kind
        case ir.Emit(value=value, key=key):
            return f"emit {expression(key)}: {expression(value)}" if key else f"emit {expression(value)}"
        case ir.Import(module=module, name=name, bound=bound, level=level):
            origin = "." * level + module
            return f"from {origin} import {name} as {bound}" if name else f"import {origin} as {bound}"
        case _:
            return _unreachable(node)


def _loop_head(node: ir.Loop) -> str:
    kind = "" if node.kind == "for" else f"{node.kind} "
    return f"{'async ' if node.is_async else ''}{kind}for {expression(node.target)} in {expression(node.iter)}"


def _function_head(node: ir.Function) -> str:
    marks = [mark for mark, holds in (("async ", node.is_async), ("generator ", node.is_generator)) if holds]
    returns = f" -> {expression(node.returns)}" if node.returns else ""
    return f"{''.join(marks)}def {node.name}({_params(node.params)}){returns}:{'  # documented' if node.docstring else ''}"


def _class_head(node: ir.Class) -> str:
    arguments = ", ".join([*map(expression, node.bases), *_keywords(node.keywords)])
    return f"class {node.name}({arguments}):"


def _params(params: list[ir.Param]) -> str:
    prefix = {"": "", "/": "/", "k": "k:", "*": "*", "**": "**"}
    return ", ".join(
        prefix[param.kind]
        + param.name
        + (f": {expression(param.annotation)}" if param.annotation else "")
        + (f" = {expression(param.default)}" if param.default else "")
        for param in params
    )


def _after(value: ir.Expr_ | None) -> str:
    return f" {expression(value)}" if value is not None else ""


def _commas(values: Iterable[ir.Expr_]) -> str:
    return ", ".join(map(expression, values))


def _keywords(keywords: list[tuple[str, ir.Expr_]]) -> list[str]:
    return [f"{name}={expression(value)}" if name else f"**{expression(value)}" for name, value in keywords]


def expression(node: ir.Expr_) -> str:
    """Returns an expression as pseudo-code; operations other than chains stand in parentheses."""
    match node:
        case ir.Const(value=value, kind=kind):
            return "?" if kind == "other" else repr(value)
        case ir.Name(id=name):
            return name
        case ir.Attr(value=value, name=name):
            return f"{expression(value)}.{name}"
        case ir.Index(value=value, index=index):
            return f"{expression(value)}[{expression(index)}]"
        case ir.Slice(lower=lower, upper=upper, step=step):
            parts = (lower, upper) if step is None else (lower, upper, step)
            return ":".join("" if part is None else expression(part) for part in parts)
        case ir.Call(func=func, args=args, keywords=keywords):
            return f"{expression(func)}({', '.join([*map(expression, args), *_keywords(keywords)])})"
        case ir.Star(value=value):
            return f"*{expression(value)}"
        case ir.Seq(kind=kind, items=items):
            brackets = {"list": "[]", "tuple": "()", "set": "{}"}[kind]
            return brackets[0] + _commas(items) + ("," if kind == "tuple" and len(items) == 1 else "") + brackets[1]
        case ir.Map(keys=keys, values=values):
            pairs = (f"{expression(key)}: {expression(value)}" if key else f"**{expression(value)}" for key, value in zip(keys, values, strict=True))
            return "{" + ", ".join(pairs) + "}"
        case ir.Text(parts=parts):
            return f"text({_commas(parts)})"
        case ir.Comp(kind=kind, body=body):
            return f"{kind}<{_nested(body)}>"
        case _:
            return _operation(node)


def _operation(node: ir.Lambda | ir.Bool | ir.Compare | ir.Not | ir.Binary | ir.Cond | ir.Await | ir.Yield | ir.Walrus) -> str:
    match node:
        case ir.Lambda(params=params, body=body):
            return f"(lambda {_params(params)}: {expression(body)})"
        case ir.Bool(op=op, values=values):
            return "(" + f" {op} ".join(map(expression, values)) + ")"
        case ir.Compare(op=op, left=left, right=right):
            return f"({expression(left)} {op} {expression(right)})"
        case ir.Not(value=value):
            return f"(not {expression(value)})"
        case ir.Binary(op=op, left=left, right=right):
            return f"({expression(left)} {op} {expression(right)})" if left else f"({op}{expression(right)})"
        case ir.Cond(test=test, body=body, orelse=orelse):
            return f"({expression(body)} if {expression(test)} else {expression(orelse)})"
        case ir.Await(value=value):
            return f"(await {expression(value)})"
        case ir.Yield(value=value, delegate=delegate):
            return f"(yield{' from' if delegate else ''}{_after(value)})"
        case ir.Walrus(name=name, value=value):
            return f"({name} := {expression(value)})"
        case _:
            return _unreachable(node)


def _nested(node: ir.Stmt) -> str:
    """Writes the statements of a comprehension in a row."""
    match node:
        case ir.Loop(body=body):
            return f"{'async ' if node.is_async else ''}for {expression(node.target)} in {expression(node.iter)}: {'; '.join(map(_nested, body))}"
        case ir.If(test=test, body=body):
            return f"if {expression(test)}: {'; '.join(map(_nested, body))}"
        case ir.Emit():
            return _simple_statement(node)
        case _:
            raise TypeError(f"no statement of a comprehension: {type(node).__name__}")


def _unreachable(node: NoReturn) -> NoReturn:
    raise AssertionError(f"a node that the printer does not know: {node!r}")
