"""The intermediate language: the few node kinds that every later stage sees.

Python files and templates are lowered to these. Every node starts with its span: `start` and `end`, character
offsets into its own file. Nodes are msgspec structs encoded as arrays, so that a module can be cached as data.

    expression  Const Name Attr Index Slice Call Lambda Comp Seq Map Bool Compare Not Binary Cond Text Star Await Yield Walrus
    statement   Expr Assign Delete If Loop While Try With Return Raise Assert Jump Emit Function Class Import

One loop node: `for`, comprehensions and template loops all become a `Loop`. A comprehension is an expression `Comp`
whose body is a `Loop` (nested for further `for` clauses, `If` for conditions) that ends in `Emit`.
"""

from __future__ import annotations

from typing import Union

import msgspec


class Node(msgspec.Struct, array_like=True, tag=True, gc=False, frozen=True):
    """Base of all nodes."""

    start: int
    end: int


# ---------------------------------------------------------------------------------------------------- expressions
class Const(Node):
    """A literal. `...` and bytes have kind "other" and no value."""

    value: Union[str, int, float, bool, None]
    kind: str = ""


class Name(Node):
    id: str


class Attr(Node):
    """`value.name`; `name_start` is the offset of the attribute's name."""

    value: Expr_
    name: str


class Index(Node):
    """`value[index]`, the index being a `Slice` for `value[a:b]`."""

    value: Expr_
    index: Expr_


class Slice(Node):
    lower: Union[Expr_, None]
    upper: Union[Expr_, None]
    step: Union[Expr_, None]


class Call(Node):
    """`func(*args, **keywords)`; a keyword with an empty name is `**value`, an argument may be a `Star`."""

    func: Expr_
    args: list[Expr_]
    keywords: list[tuple[str, Expr_]]


class Lambda(Node):
    params: list[Param]
    body: Expr_


class Comp(Node):
    """A comprehension or generator expression: `kind` is list, set, dict or generator."""

    kind: str
    body: Loop


class Seq(Node):
    """A display: `kind` is list, tuple or set."""

    kind: str
    items: list[Expr_]


class Map(Node):
    """A dict display; a missing key is `**value`."""

    keys: list[Union[Expr_, None]]
    values: list[Expr_]


class Bool(Node):
    """`a and b and c`; `op` is and / or."""

    op: str
    values: list[Expr_]


class Compare(Node):
    """`left op right`, chained comparisons being an `and` of these; `op` as written: "==", "not in", …"""

    op: str
    left: Expr_
    right: Expr_


class Not(Node):
    value: Expr_


class Binary(Node):
    """An arithmetic or bit operation; a unary one has no left side."""

    op: str
    left: Union[Expr_, None]
    right: Expr_


class Cond(Node):
    """`body if test else orelse`"""

    test: Expr_
    body: Expr_
    orelse: Expr_


class Text(Node):
    """An f-string or t-string: the expressions in it."""

    parts: list[Expr_]


class Star(Node):
    value: Expr_


class Await(Node):
    value: Expr_


class Yield(Node):
    value: Union[Expr_, None]
    delegate: bool = False  # yield from


class Walrus(Node):
    name: str
    value: Expr_


# ----------------------------------------------------------------------------------------------------- statements
class Expr(Node):
    """An expression statement."""

    value: Expr_


class Assign(Node):
    """`targets = value`. `op` is "" or the operator of an augmented assignment; `value` is missing in `x: int`."""

    targets: list[Expr_]
    value: Union[Expr_, None]
    op: str = ""
    annotation: Union[Expr_, None] = None


class Delete(Node):
    targets: list[Expr_]


class If(Node):
    """`match` is lowered to a chain of these, with an unknown test per case."""

    test: Expr_
    body: list[Stmt]
    orelse: list[Stmt]


class Loop(Node):
    """`for target in iter: body else: orelse`; `kind` is for, comprehension or template."""

    target: Expr_
    iter: Expr_
    body: list[Stmt]
    orelse: list[Stmt]
    is_async: bool = False
    kind: str = "for"


class While(Node):
    test: Expr_
    body: list[Stmt]
    orelse: list[Stmt]


class Handler(Node):
    """`except catches as name: body`"""

    catches: Union[Expr_, None]
    name: str
    body: list[Stmt]


class Try(Node):
    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    final: list[Stmt]


class With(Node):
    """`with value as target, …: body`"""

    items: list[tuple[Expr_, Union[Expr_, None]]]
    body: list[Stmt]
    is_async: bool = False


class Return(Node):
    value: Union[Expr_, None]


class Raise(Node):
    value: Union[Expr_, None]


class Assert(Node):
    test: Expr_


class Jump(Node):
    """`kind` is break or continue."""

    kind: str


class Emit(Node):
    """What a comprehension yields: an element, or key and value of a dict comprehension."""

    value: Expr_
    key: Union[Expr_, None] = None


class Param(Node):
    """A parameter; `kind` is "" (positional or keyword), "*", "**", "/" (positional only) or "k" (keyword only)."""

    name: str
    kind: str = ""
    annotation: Union[Expr_, None] = None
    default: Union[Expr_, None] = None


class Function(Node):
    """A function; `start` is that of `def` (or `async`), `head_end` the end of its signature."""

    name: str
    params: list[Param]
    body: list[Stmt]
    decorators: list[Expr_]
    returns: Union[Expr_, None] = None
    is_async: bool = False
    is_generator: bool = False
    docstring: bool = False


class Class(Node):
    name: str
    bases: list[Expr_]
    keywords: list[tuple[str, Expr_]]
    body: list[Stmt]
    decorators: list[Expr_]


class Import(Node):
    """`import a.b as c` has an empty `name` and binds `bound`; `from ..a import b as c` has level 2, module "a", name "b".

    A star import has the name "*".
    """

    module: str
    name: str
    bound: str
    level: int = 0


Expr_ = Union[
    Const,
    Name,
    Attr,
    Index,
    Slice,
    Call,
    Lambda,
    Comp,
    Seq,
    Map,
    Bool,
    Compare,
    Not,
    Binary,
    Cond,
    Text,
    Star,
    Await,
    Yield,
    Walrus,
]
Stmt = Union[Expr, Assign, Delete, If, Loop, While, Try, With, Return, Raise, Assert, Jump, Emit, Function, Class, Import]


class Comment(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """A comment that speaks to ormlint: `start` is the offset of the `#` (or `{#`), `text` what follows it."""

    start: int
    text: str


class Module(msgspec.Struct, array_like=True, frozen=True):
    """One file in the intermediate language.

    `path` is relative to the project root; `name` its dotted import name ("" for a template). `lines` are the offsets
    of line starts, `length` the number of characters. `language` is python, django or jinja.
    """

    path: str
    name: str
    language: str
    body: list[Stmt]
    lines: list[int]
    length: int
    comments: list[Comment] = []
    is_package: bool = False
    exports: Union[list[str], None] = None
    generator: str = ""
