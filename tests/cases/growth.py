"""How the number of statements grows with the number of rows: formulas of N, and what the query log says.

A formula is a sum of `3`, `N`, `2N`, `N²`, or a difference: `4N - 1`. Two measurements, with 3 and with 7 rows,
determine one, if its coefficient of N stays below 10.
"""

from __future__ import annotations

import re

SIZES = (3, 7)

_TERM = re.compile(r"(-?)(\d*)(N²|N)?")


def evaluate(formula: str, rows: int) -> int:
    """Returns the value of a formula. Raises ValueError if it is none."""
    total = 0
    for term in formula.replace("-", "+-").split("+"):
        match = _TERM.fullmatch(term.replace(" ", ""))
        if not match or (not match[2] and not match[3]):
            raise ValueError(f"not a sum of numbers, N and N²: {formula!r}")
        factor = int(match[2] or 1) * (-1 if match[1] else 1)
        total += factor * {None: 1, "N": rows, "N²": rows * rows}[match[3]]
    return total


def formula(small: int, large: int) -> str:
    """Returns the formula for the numbers of statements measured with 3 and with 7 rows.

    Raises ValueError if there is none, which means that the number depends on something else than N.
    """
    first, second = SIZES
    difference = large - small
    square, rest = divmod(difference, second * second - first * first)
    linear, left = divmod(rest, second - first)
    constant = small - square * first * first - linear * first
    if difference < 0 or left:
        raise ValueError(f"{small} statements with {first} rows and {large} with {second} rows")
    terms = [str(constant)] if constant > 0 or not difference else []
    terms += [f"{factor if factor > 1 else ''}{name}" for factor, name in ((linear, "N"), (square, "N²")) if factor]
    return " + ".join(terms) + (f" - {-constant}" if constant < 0 else "")


def degree(formula: str) -> int:
    """Returns 0 for a constant formula, 1 if it grows with N, 2 if with N²."""
    return 2 if "N²" in formula else 1 if "N" in formula else 0
