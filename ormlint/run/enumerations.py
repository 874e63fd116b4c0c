"""Members of enumerations: `OPEN = "open", "Open"` in a class of choices is the text "open" with a label."""

from __future__ import annotations

from ormlint.link.names import ClassInfo
from ormlint.run.values import Constant, Sequence, Value

CHOICES = ("TextChoices", "IntegerChoices", "Choices")


def member(cls: ClassInfo, value: Value) -> Value:
    """Returns what an attribute of a class is whose body gives it a value: Django's choices leave the label out."""
    if isinstance(value, Sequence) and value.kind == "tuple" and value.items and isinstance(value.items[0], Constant) and cls.derives_from(*CHOICES):
        return value.items[0]
    return value
