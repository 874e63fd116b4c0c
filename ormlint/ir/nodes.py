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


class Node(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Base of all nodes."""

    start: int
    end: int


# ---------------------------------------------------------------------------------------------------- expressions
class Const(Node, tag=1, frozen=True):
    """A literal. `...` and bytes have kind "other" and no value."""

    value: Union[str, int, float, bool, None]
    kind: str = ""


class Name(Node, tag=2, frozen=True):
    id: str


class Attr(Node, tag=3, frozen=True):
    """`value.name`; `name_start` is the offset of the attribute's name."""

    value: Expr_
    name: str


class Index(Node, tag=4, frozen=True):
    """`value[index]`, the index being a `Slice` for `value[a:b]`."""

    value: Expr_
    index: Expr_


class Slice(Node, tag=5, frozen=True):
    lower: Union[Expr_, None]
    upper: Union[Expr_, None]
    step: Union[Expr_, None]


class Call(Node, tag=6, frozen=True):
    """`func(*args, **keywords)`; a keyword with an empty name is `**value`, an argument may be a `Star`."""

    func: Expr_
    args: list[Expr_]
    keywords: list[tuple[str, Expr_]]

    @property
    def called(self) -> str:
        """The last part of the name of what is called, nothing if it has none."""
        return self.func.name if isinstance(self.func, Attr) else self.func.id if isinstance(self.func, Name) else ""


class Lambda(Node, tag=7, frozen=True):
    params: list[Param]
    body: Expr_


class Comp(Node, tag=8, frozen=True):
    """A comprehension or generator expression: `kind` is list, set, dict or generator."""

    kind: str
    body: Loop


class Seq(Node, tag=9, frozen=True):
    """A display: `kind` is list, tuple or set."""

    kind: str
    items: list[Expr_]


class Map(Node, tag=10, frozen=True):
    """A dict display; a missing key is `**value`."""

    keys: list[Union[Expr_, None]]
    values: list[Expr_]


class Bool(Node, tag=11, frozen=True):
    """`a and b and c`; `op` is and / or."""

    op: str
    values: list[Expr_]


class Compare(Node, tag=12, frozen=True):
    """`left op right`, chained comparisons being an `and` of these; `op` as written: "==", "not in", …"""

    op: str
    left: Expr_
    right: Expr_


class Not(Node, tag=13, frozen=True):
    value: Expr_


class Binary(Node, tag=14, frozen=True):
    """An arithmetic or bit operation; a unary one has no left side."""

    op: str
    left: Union[Expr_, None]
    right: Expr_


class Cond(Node, tag=15, frozen=True):
    """`body if test else orelse`"""

    test: Expr_
    body: Expr_
    orelse: Expr_


class Text(Node, tag=16, frozen=True):
    """An f-string or t-string: the expressions in it, and the texts before, between and behind them if these are put in as they are."""

    parts: list[Expr_]
    around: list[str] = []


class Star(Node, tag=17, frozen=True):
    value: Expr_


class Await(Node, tag=18, frozen=True):
    value: Expr_


class Yield(Node, tag=19, frozen=True):
    value: Union[Expr_, None]
    delegate: bool = False  # yield from


class Walrus(Node, tag=20, frozen=True):
    name: str
    value: Expr_


# ----------------------------------------------------------------------------------------------------- statements
class Expr(Node, tag=21, frozen=True):
    """An expression statement."""

    value: Expr_


class Assign(Node, tag=22, frozen=True):
    """`targets = value`. `op` is "" or the operator of an augmented assignment; `value` is missing in `x: int`."""

    targets: list[Expr_]
    value: Union[Expr_, None]
    op: str = ""
    annotation: Union[Expr_, None] = None


class Delete(Node, tag=23, frozen=True):
    targets: list[Expr_]


class If(Node, tag=24, frozen=True):
    """`match` is lowered to a chain of these, with an unknown test per case."""

    test: Expr_
    body: list[Stmt]
    orelse: list[Stmt]


class Loop(Node, tag=25, frozen=True):
    """`for target in iter: body else: orelse`; `kind` is for, comprehension or template, `ends` tells that `any()` or `next()` ends it early."""

    target: Expr_
    iter: Expr_
    body: list[Stmt]
    orelse: list[Stmt]
    is_async: bool = False
    kind: str = "for"
    ends: bool = False


class While(Node, tag=26, frozen=True):
    test: Expr_
    body: list[Stmt]
    orelse: list[Stmt]


class Handler(Node, tag=27, frozen=True):
    """`except catches as name: body`"""

    catches: Union[Expr_, None]
    name: str
    body: list[Stmt]


class Try(Node, tag=28, frozen=True):
    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    final: list[Stmt]


class With(Node, tag=29, frozen=True):
    """`with value as target, …: body`"""

    items: list[tuple[Expr_, Union[Expr_, None]]]
    body: list[Stmt]
    is_async: bool = False


class Return(Node, tag=30, frozen=True):
    value: Union[Expr_, None]


class Raise(Node, tag=31, frozen=True):
    value: Union[Expr_, None]


class Assert(Node, tag=32, frozen=True):
    test: Expr_


class Jump(Node, tag=33, frozen=True):
    """`kind` is break or continue."""

    kind: str


class Emit(Node, tag=34, frozen=True):
    """What a comprehension yields: an element, or key and value of a dict comprehension."""

    value: Expr_
    key: Union[Expr_, None] = None


class Param(Node, tag=35, frozen=True):
    """A parameter; `kind` is "" (positional or keyword), "*", "**", "/" (positional only) or "k" (keyword only)."""

    name: str
    kind: str = ""
    annotation: Union[Expr_, None] = None
    default: Union[Expr_, None] = None


class Function(Node, tag=36, frozen=True):
    """A function; `start` is that of `def` (or `async`), `head_end` the end of its signature."""

    name: str
    params: list[Param]
    body: list[Stmt]
    decorators: list[Expr_]
    returns: Union[Expr_, None] = None
    is_async: bool = False
    is_generator: bool = False
    docstring: bool = False


class Class(Node, tag=37, frozen=True):
    name: str
    bases: list[Expr_]
    keywords: list[tuple[str, Expr_]]
    body: list[Stmt]
    decorators: list[Expr_]


class Import(Node, tag=38, frozen=True):
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
    `rebound` are the names that functions bind elsewhere than in themselves, by `global` and `nonlocal`.
    `is_older` says that only Python 2 has its syntax.
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
    rebound: list[str] = []
    is_older: bool = False
