"""The expressions of Jinja templates, lowered to the intermediate language.

`a.b|f(c)` is the call of `filter:f` with `a.b` and `c`, `a is divisibleby 3` that of `test:divisibleby`, `a ~ b` a text.
The parser descends recursively; each method is a level of precedence. What cannot be understood is an unknown expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ormlint.ir import nodes as ir

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<operator>//|\*\*|==|!=|<=|>=|[-+*/%~|.,:()\[\]{}<>=]))",
    re.DOTALL,
)
_CONSTANTS = {"true": True, "false": False, "none": None, "True": True, "False": False, "None": None}
_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=", "in")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LONGEST_CHAIN = 100


class JinjaSyntaxError(Exception):
    """An expression that is none; never leaves the reader."""


class Token(NamedTuple):
    """A token of an expression; `kind` is string, number, name, operator or, at the end, empty."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str, start: int, end: int) -> list[Token]:
    """Returns the tokens between two offsets and one of kind "" at the end.

    Raises JinjaSyntaxError on a character that begins none.
    """
    tokens = []
    while (match := _TOKEN.match(text, start, end)) is not None:
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind), match.end()))
        start = match.end()
    if text[start:end].strip():
        raise JinjaSyntaxError(text[start:end])
    return [*tokens, Token("", "", start, start)]


class Parser:
    """A tag's tokens and how many of them are read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._position = tokens, 0

    @property
    def next(self) -> Token:
        """The token to be read next."""
        return self._tokens[self._position]

    @property
    def reached(self) -> int:
        """The end of the token read last."""
        return self._tokens[max(self._position - 1, 0)].end

    def take(self, *texts: str) -> Token | None:
        """Reads the next token if it is one of these names or operators."""
        token = self.next
        if token.text in texts and token.kind in ("name", "operator"):
            self._position += 1
            return token
        return None

    def expect(self, text: str) -> Token:
        """Reads the next token; raises JinjaSyntaxError if it is another one."""
        token = self.take(text)
        if token is None:
            raise JinjaSyntaxError(f"{text} expected, {self.next.text} found")
        return token

    def name(self) -> Token:
        """Reads a name; raises JinjaSyntaxError if there is none."""
        token = self.next
        if token.kind != "name":
            raise JinjaSyntaxError(f"a name expected, {token.text} found")
        self._position += 1
        return token

    def expression(self) -> ir.Expr_:
        """Reads `a, b` as a tuple, and anything simpler."""
        return self._tuple(self.condition)

    def target(self) -> ir.Expr_:
        """Reads what `for` and `set` bind: names, attributes and tuples of them."""
        return self._tuple(self._unary)

    def _tuple(self, read: Callable[[], ir.Expr_]) -> ir.Expr_:
        items = [read()]
        while self.take(","):
            if not self._begins_expression():
                return ir.Seq(items[0].start, self.reached, "tuple", items)
            items.append(read())
        return items[0] if len(items) == 1 else ir.Seq(items[0].start, items[-1].end, "tuple", items)

    def _begins_expression(self) -> bool:
        token = self.next
        if token.kind == "operator":
            return token.text in ("(", "[", "{", "-", "+")
        return token.kind != "" and token.text not in ("in", "if", "else", "recursive")

    def condition(self) -> ir.Expr_:
        """Reads `a if b else c`, and anything that binds stronger."""
        value = self.disjunction()
        while self.take("if"):
            test = self.disjunction()
            orelse = self.condition() if self.take("else") else ir.Const(test.end, test.end, None)
            value = ir.Cond(value.start, orelse.end, test, value, orelse)
        return value

    def disjunction(self) -> ir.Expr_:
        """Reads `a or b`, and anything that binds stronger."""
        values = [self._conjunction()]
        while self.take("or"):
            values.append(self._conjunction())
        return values[0] if len(values) == 1 else ir.Bool(values[0].start, values[-1].end, "or", values)

    def _conjunction(self) -> ir.Expr_:
        values = [self._negation()]
        while self.take("and"):
            values.append(self._negation())
        return values[0] if len(values) == 1 else ir.Bool(values[0].start, values[-1].end, "and", values)

    def _negation(self) -> ir.Expr_:
        word = self.take("not")
        if word is not None:
            value = self._negation()
            return ir.Not(word.start, value.end, value)
        left = self._sum()
        links: list[ir.Expr_] = []
        while True:
            op = self._comparison()
            if op is None:
                break
            right = self._sum()
            links.append(ir.Compare(left.start, right.end, op, left, right))
            left = right
        if not links:
            return left
        return links[0] if len(links) == 1 else ir.Bool(links[0].start, links[-1].end, "and", links)

    def _comparison(self) -> str | None:
        token = self.take(*_COMPARISONS)
        if token is not None:
            return token.text
        if self.next.text == "not" and self._tokens[self._position + 1].text == "in":
            self._position += 2
            return "not in"
        return None

    def _sum(self) -> ir.Expr_:
        return self._operation(("+", "-"), self._joined)

    def _joined(self) -> ir.Expr_:
        parts = [self._product()]
        while self.take("~"):
            parts.append(self._product())
        return parts[0] if len(parts) == 1 else ir.Text(parts[0].start, parts[-1].end, parts)

    def _product(self) -> ir.Expr_:
        return self._operation(("*", "/", "//", "%"), self._unary)

    def _operation(self, operators: tuple[str, ...], read: Callable[[], ir.Expr_]) -> ir.Expr_:
        left = read()
        for _ in range(_LONGEST_CHAIN):
            op = self.take(*operators)
            if op is None:
                break
            right = read()
            left = ir.Binary(left.start, right.end, op.text, left, right)
        return left

    def _unary(self) -> ir.Expr_:
        sign = self.take("-", "+")
        if sign is None:
            value = self._filtered(self._primary())
        else:
            operand = self._unary()
            value = self._signed(sign, operand)
        if self.take("**"):
            power = self._unary()
            return ir.Binary(value.start, power.end, "**", value, power)
        return value

    def _signed(self, sign: Token, operand: ir.Expr_) -> ir.Expr_:
        if sign.text == "-" and type(operand) is ir.Const and type(operand.value) in (int, float):
            return ir.Const(sign.start, operand.end, -operand.value)  # type: ignore[operator]
        return ir.Binary(sign.start, operand.end, sign.text, None, operand)

    def _primary(self) -> ir.Expr_:
        token = self.next
        if token.kind == "":
            raise JinjaSyntaxError("an expression expected, nothing found")
        self._position += 1
        if token.kind == "name":
            if token.text in _CONSTANTS:
                return ir.Const(token.start, token.end, _CONSTANTS[token.text])
            return ir.Name(token.start, token.end, token.text)
        if token.kind == "number":
            return self._number(token)
        if token.kind == "string":
            while self.next.kind == "string":  # adjacent strings are one
                self._position += 1
            return ir.Const(token.start, self.reached, _ESCAPE.sub(r"\1", token.text[1:-1]))
        if token.text == "(":
            return self._parenthesised(token)
        if token.text == "[":
            items = self._items("]")
            return ir.Seq(token.start, self.reached, "list", items)
        if token.text == "{":
            return self._map(token)
        raise JinjaSyntaxError(f"an expression expected, {token.text} found")

    def _number(self, token: Token) -> ir.Expr_:
        digits = token.text.replace("_", "")
        if digits.isdecimal():
            return ir.Const(token.start, token.end, int(digits)) if len(digits) < 19 else ir.Const(token.start, token.end, None, "other")
        return ir.Const(token.start, token.end, float(digits))

    def _parenthesised(self, opening: Token) -> ir.Expr_:
        if self.take(")"):
            return ir.Seq(opening.start, self.reached, "tuple", [])
        value = self.expression()
        self.expect(")")
        return value

    def _items(self, closing: str) -> list[ir.Expr_]:
        items: list[ir.Expr_] = []
        while not self.take(closing):
            items.append(self.condition())
            if not self.take(","):
                self.expect(closing)
                break
        return items

    def _map(self, opening: Token) -> ir.Expr_:
        keys: list[ir.Expr_ | None] = []
        values: list[ir.Expr_] = []
        while not self.take("}"):
            keys.append(self.condition())
            self.expect(":")
            values.append(self.condition())
            if not self.take(","):
                self.expect("}")
                break
        return ir.Map(opening.start, self.reached, keys, values)

    def _filtered(self, value: ir.Expr_) -> ir.Expr_:
        """Reads what may follow a value: attributes, indexes, calls, filters and tests."""
        for _ in range(_LONGEST_CHAIN):
            if self.take("."):
                value = self._attribute(value)
            elif self.take("["):
                index = self._subscript()
                self.expect("]")
                value = ir.Index(value.start, self.reached, value, index)
            elif self.take("("):
                value = self._call(value, value, [])
            elif self.take("|"):
                value = self._filter(value)
            elif self.take("is"):
                value = self._test(value)
            else:
                break
        return value

    def _attribute(self, value: ir.Expr_) -> ir.Expr_:
        token = self.next
        if token.kind == "number" and token.text.isdecimal() and len(token.text) < 19:
            self._position += 1
            return ir.Index(value.start, token.end, value, ir.Const(token.start, token.end, int(token.text)))
        name = self.name()
        return ir.Attr(value.start, name.end, value, name.text)

    def _subscript(self) -> ir.Expr_:
        start = self.next.start
        parts: list[ir.Expr_ | None] = [None]
        while self.next.text != "]":
            if self.take(":"):
                parts.append(None)
            else:
                parts[-1] = self.expression()
        if len(parts) == 1 and parts[0] is not None:
            return parts[0]
        if len(parts) == 1 or len(parts) > 3:
            raise JinjaSyntaxError("an index expected")
        return ir.Slice(start, self.reached, parts[0], parts[1], parts[2] if len(parts) == 3 else None)

    def _filter(self, value: ir.Expr_) -> ir.Expr_:
        start, name = self._dotted()
        func = ir.Name(start, self.reached, f"filter:{name}")
        if self.take("("):
            return self._call(func, value, [value])
        return ir.Call(value.start, self.reached, func, [value], [])

    def _test(self, value: ir.Expr_) -> ir.Expr_:
        negation = self.take("not")
        start, name = self._dotted()
        func = ir.Name(start, self.reached, f"test:{name}")
        if self.take("("):
            test = self._call(func, value, [value])
        elif self.next.kind in ("name", "number", "string") and self.next.text not in ("else", "or", "and", "if", "is", "not", "in", "recursive"):
            argument = self._primary()
            test = ir.Call(value.start, self.reached, func, [value, argument], [])
        else:
            test = ir.Call(value.start, self.reached, func, [value], [])
        return ir.Not(test.start, test.end, test) if negation else test

    def _dotted(self) -> tuple[int, str]:
        first = self.name()
        name = first.text
        while self.take("."):
            name += f".{self.name().text}"
        return first.start, name

    def _call(self, func: ir.Expr_, first: ir.Expr_, args: list[ir.Expr_]) -> ir.Call:
        """Reads the arguments up to the closing parenthesis; `first` is where the expression begins."""
        keywords: list[tuple[str, ir.Expr_]] = []
        while not self.take(")"):
            star = self.take("*", "**")
            if star is not None:
                value = self.condition()
                if star.text == "*":
                    args.append(ir.Star(star.start, value.end, value))
                else:
                    keywords.append(("", value))
            elif self.next.kind == "name" and self._tokens[self._position + 1].text == "=":
                name = self.name()
                self.expect("=")
                keywords.append((name.text, self.condition()))
            else:
                args.append(self.condition())
            if not self.take(","):
                self.expect(")")
                break
        return ir.Call(first.start, self.reached, func, args, keywords)

    def params(self) -> list[ir.Param]:
        """Reads the parameters of a macro or call block, if there are any."""
        found: list[ir.Param] = []
        if not self.take("("):
            return found
        while not self.take(")"):
            name = self.name()
            default = self.condition() if self.take("=") else None
            found.append(ir.Param(name.start, self.reached, name.text, "", None, default))
            if not self.take(","):
                self.expect(")")
                break
        return found
