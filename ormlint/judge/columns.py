"""Columns by what a database can compute of them."""

from __future__ import annotations

FIGURES = frozenset({
    "AutoField", "BigAutoField", "SmallAutoField", "IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField",
    "PositiveBigIntegerField", "PositiveSmallIntegerField", "FloatField", "DecimalField", "DurationField", "DateField", "DateTimeField", "TimeField",
})  # fmt: skip
"""Django's fields of numbers and times. Texts are compared by the rules of the database, and fields of other packages may have no column."""
