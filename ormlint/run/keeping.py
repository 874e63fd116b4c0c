"""What a run knows of objects that keep others: dicts of the program's own classes, applications, traits."""

from __future__ import annotations

from msgspec import Struct, field

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo
from ormlint.link.schema import Model
from ormlint.run.values import Mapping, Value

Setter = tuple[ModuleInfo, FunctionInfo | None, ir.Expr_]


class Keeping(Struct, eq=False):
    """What is known so far, as far as anybody asked."""

    handed_on_to: dict[int, ir.Expr_ | None] = field(default_factory=dict)  # by `__getattr__`: the expression whose attributes it gives
    items: dict[int, list[Value]] = field(default_factory=dict)  # by class derived from dict: what is put into its objects
    wrappers: dict[tuple[int, Model], tuple[ClassInfo, str]] = field(default_factory=dict)  # by such a class: what wraps the row of a key, as what
    defaults: dict[tuple[int, str], Value] = field(default_factory=dict)  # of traits, by class and name
    settings: Mapping | None = None  # what an application of Tornado is made with
    settings_asked: bool = False
    values: dict[tuple[str, str], Value] = field(default_factory=dict)  # by kind and name: what is kept on an application
    setters: dict[tuple[str, str], list[Setter]] | None = None  # by kind and name: where something is put there
