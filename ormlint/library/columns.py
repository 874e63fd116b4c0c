"""Types of columns whose values are plain text, whole numbers or truth values, as the fields of Django and the types of SQLAlchemy name them."""

from __future__ import annotations

TEXTS = frozenset({"CharField", "TextField", "SlugField", "EmailField", "URLField", "String", "Text", "Unicode", "UnicodeText"})
# fmt: off
INTEGERS = frozenset({
    "IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField", "PositiveBigIntegerField",
    "Integer", "BigInteger", "SmallInteger",
})
# fmt: on
TRUTH_VALUES = frozenset({"BooleanField", "NullBooleanField", "Boolean"})
