"""What is kept on the object of a request: `g` of Flask.

    @app.before_request                            def index():
    def load_shop():                                   for clock in g.shop.clocks: …
        g.shop = Shop.query.get(session["shop"])

The functions that put something there are run when it is first asked for, and what any of them puts is what all others find.
"""

from __future__ import annotations

from ormlint.library.functions import REQUEST_STORES
from ormlint.link.names import External, FunctionInfo
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.objects import assigned_attributes
from ormlint.run.values import NONE, Unknown, Value

MOST_SETTERS = 4
STORES = tuple(sorted({path.rpartition(".")[2] for path in REQUEST_STORES}))


def request_value(m: Machine, name: str) -> Value | None:
    """Returns what the project keeps under this name on the object of a request, or None if nobody knows."""
    from ormlint.run.roots import run_root

    setters = _known(m).pop(name, [])
    for function in setters if len(setters) <= MOST_SETTERS else ():
        run_root(m, function)
    return m.request_values.get(name)


def is_kept(m: Machine, name: str) -> bool:
    """Whether the project keeps anything under this name on the object of a request."""
    return name in m.request_values or name in _known(m)


def keep_on_request(m: Machine, name: str, value: Value) -> None:
    """Notes that a function keeps something on the object of a request."""
    if value == NONE or isinstance(value, (Unknown, External)):
        return
    old = m.request_values.get(name)
    m.request_values[name] = value if old is None else join_values(m, old, value)


def _known(m: Machine) -> dict[str, list[FunctionInfo]]:
    if m.request_setters is None:
        m.request_setters = _setters(m)
    return m.request_setters


def _setters(m: Machine) -> dict[str, list[FunctionInfo]]:
    found: dict[str, list[FunctionInfo]] = {}
    for function in m.program.functions:
        for store in STORES if not function.module.is_library else ():
            symbol = m.program.lookup(store, function.module)
            if isinstance(symbol, External) and symbol.path in REQUEST_STORES:
                for name in dict.fromkeys(assigned_attributes(function.node.body, store)):
                    found.setdefault(name, []).append(function)
    return found


__all__ = ["is_kept", "keep_on_request", "request_value"]
