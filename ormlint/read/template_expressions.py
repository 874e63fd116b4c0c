"""The expressions of Django templates: variables, filters and the conditions of `{% if %}`, lowered to the intermediate language.

`{{ a.b.0|default:"x" }}` becomes the call of `filter:default` with `a.b[0]` and `"x"`. What cannot be understood is an unknown
expression, never an error: templates are tolerant, and many a file that looks like one is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir

_STRING = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'"
_VALUE = re.compile(
    rf"(?P<number>[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]))"
    rf"|_\((?P<translated>{_STRING})\)|(?P<string>{_STRING})"
    r"|(?P<variable>[^\W\d][\w-]*(?:\.[\w-]+)*)"
)
_FILTER = re.compile(r"\s*\|\s*(?P<name>\w+)(?P<colon>:)?")
_BIT = re.compile(rf"(?:{_STRING}|[^\s\"'])+|\S")
_KEYWORD = re.compile(r"(\w+)=(?!=)")
_LONGEST_CHAIN = 100
_CONSTANTS = {"True": True, "False": False, "None": None}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">=", "in", "is", "not in", "is not"})


class Bit(NamedTuple):
    """A word of a tag and its place; strings are never split."""

    start: int
    end: int
    text: str


def split_bits(text: str, start: int, end: int) -> list[Bit]:
    """Returns the words between two offsets."""
    return [Bit(match.start(), match.end(), match[0]) for match in _BIT.finditer(text, start, end)]


def unknown(start: int, end: int) -> ir.Const:
    """Returns an expression of which nothing is known."""
    return ir.Const(start, end, None, "other")


def lower_expression(text: str, start: int, end: int) -> ir.Expr_:
    """Returns the variable or literal with its filters that stands between two offsets; what follows it is ignored."""
    while start < end and text[start].isspace():
        start += 1
    match = _VALUE.match(text, start, end)
    if match is None:
        return unknown(start, end)
    value: ir.Expr_ = _value(match)
    position = match.end()
    for _ in range(_LONGEST_CHAIN):
        match = _FILTER.match(text, position, end)
        if match is None:
            break
        arguments, position = [value], match.end()
        if match["colon"]:
            argument = _VALUE.match(text, position, end)
            if argument is None:
                break
            arguments.append(_value(argument))
            position = argument.end()
        name = ir.Name(match.start("name"), match.end("name"), f"filter:{match['name']}")
        value = ir.Call(start, position, name, arguments, [])
    return value


def lower_bit(text: str, bit: Bit) -> ir.Expr_:
    """Returns the expression that one word of a tag is."""
    return lower_expression(text, bit.start, bit.end)


def split_keyword(bit: Bit) -> tuple[str, Bit] | None:
    """Returns name and value of `name=value`, None for any other word."""
    match = _KEYWORD.match(bit.text)
    return (match[1], Bit(bit.start + match.end(), bit.end, bit.text[match.end() :])) if match else None


def _value(match: re.Match[str]) -> ir.Expr_:
    start, end = match.span()
    if match["number"] is not None:
        number = match["number"]
        if re.fullmatch(r"[-+]?\d{1,18}", number):
            return ir.Const(start, end, int(number))
        return ir.Const(start, end, float(number))
    literal = match["string"] or match["translated"]
    if literal is not None:
        return ir.Const(start, end, _ESCAPE.sub(r"\1", literal[1:-1]))
    return _variable(match["variable"], start)


def _variable(dotted: str, start: int) -> ir.Expr_:
    first, *rest = dotted.split(".")
    end = start + len(first)
    value: ir.Expr_ = ir.Const(start, end, _CONSTANTS[first]) if first in _CONSTANTS else ir.Name(start, end, first)
    if len(rest) > _LONGEST_CHAIN:
        return unknown(start, start + len(dotted))
    for part in rest:
        end += 1 + len(part)
        if part.isdecimal() and len(part) < 18:
            value = ir.Index(start, end, value, ir.Const(end - len(part), end, int(part)))
        else:
            value = ir.Attr(start, end, value, part)
    return value


def lower_condition(text: str, bits: list[Bit]) -> ir.Expr_:
    """Returns the condition of `{% if %}`; operators are words, `or` binds weakest, then `and`, `not`, comparisons."""
    if not bits:
        return unknown(0, 0)
    words = _Words(text, list(_operators(bits)))
    return words.disjunction()


def _operators(bits: list[Bit]) -> Iterator[Bit]:
    """Joins `not in` and `is not` to one word."""
    position = 0
    while position < len(bits):
        pair = " ".join(bit.text for bit in bits[position : position + 2])
        if pair in ("not in", "is not"):
            yield Bit(bits[position].start, bits[position + 1].end, pair)
            position += 2
        else:
            yield bits[position]
            position += 1


class _Words:
    """A condition being parsed, by recursive descent."""

    def __init__(self, text: str, bits: list[Bit]) -> None:
        self._text, self._bits, self._position = text, bits, 0

    def _next_is(self, *operators: str) -> bool:
        return self._position < len(self._bits) and self._bits[self._position].text in operators

    def _take(self) -> Bit:
        self._position += 1
        return self._bits[self._position - 1]

    def disjunction(self) -> ir.Expr_:
        values = [self._conjunction()]
        while self._next_is("or"):
            self._take()
            values.append(self._conjunction())
        return values[0] if len(values) == 1 else ir.Bool(values[0].start, values[-1].end, "or", values)

    def _conjunction(self) -> ir.Expr_:
        values = [self._negation()]
        while self._next_is("and"):
            self._take()
            values.append(self._negation())
        return values[0] if len(values) == 1 else ir.Bool(values[0].start, values[-1].end, "and", values)

    def _negation(self) -> ir.Expr_:
        if self._next_is("not"):
            word = self._take()
            value = self._negation()
            return ir.Not(word.start, value.end, value)
        left = self._operand()
        for _ in range(_LONGEST_CHAIN):
            if not self._next_is(*_COMPARISONS):
                break
            op = self._take().text
            right = self._operand()
            left = ir.Compare(left.start, right.end, op, left, right)
        return left

    def _operand(self) -> ir.Expr_:
        if self._position >= len(self._bits):
            end = self._bits[-1].end
            return unknown(end, end)
        return lower_bit(self._text, self._take())
