"""Jinja templates, lowered to the same intermediate language as Python and Django's templates.

A template becomes a module with one function `render(context)`; outputs, loops, branches, `include`, `extends` and blocks look as
`django_template.py` describes. Besides,

    {% set a = b %}                    is  a = b; with a body, a is unknown
    {% macro m(a, b=1) %}…             is  def m(a, b=1): …
    {% call m(b) %}…                   is  m(b), then the body
    {% call(a) m(b) %}…                is  def caller(a): …, then m(b, caller=caller)
    {% set a.b = c %}                  is  a["b"] = c, a being a namespace
    {% import "x" as y %}              is  y = import("x")
    {% from "x" import a as b %}       is  b = import("x").a
    {% do a.b() %}                     is  a.b()

Whitespace control is passed over; tags and outputs may span lines. Line statements and other delimiters are not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ormlint.ir import nodes as ir
from ormlint.read.errors import ReadError
from ormlint.read.jinja_expressions import JinjaSyntaxError, Parser, Token, tokenize
from ormlint.read.limits import READING, fixed_stack, without_gc
from ormlint.read.lines import line_starts
from ormlint.read.template_blocks import Blocks, Out, Tag, find_markup, template_module

_SPEAKS_TO_US = re.compile(r"ormlint:|noqa", re.IGNORECASE)
_NAME = re.compile(r"\s*([^\W\d]\w*)")
CALLER = "caller"
_WITHOUT_EFFECT = frozenset({"autoescape", "filter", "else", "elif", "pluralize", "debug"})


def lower_jinja(path: str, text: str) -> ir.Module:
    """Returns the template in the intermediate language, spans being character offsets into `text`.

    Raises ReadError if it is nested too deeply.
    """
    comments: list[ir.Comment] = []
    with without_gc(), fixed_stack(READING):
        tags = list(_tags(text, comments))
        try:
            body = _Lowering(text, tags).template()
        except RecursionError as error:
            raise ReadError("nested too deeply to be analysed") from error
        return template_module(path, "jinja", text, line_starts(text), body, comments)


def _tags(text: str, comments: list[ir.Comment]) -> Iterator[Tag]:
    """Yields the tags and outputs that take effect, and collects the comments that speak to ormlint."""
    is_raw = False
    for start, end, kind in find_markup(text, within_lines=False):
        inner, inner_end = start + 2, end - 2
        if text[inner : inner + 1] in ("-", "+") and (kind != "{" or text[inner] == "-"):
            inner += 1
        if inner < inner_end and text[inner_end - 1] in "-+":
            inner_end -= 1
        if kind == "%":
            match = _NAME.match(text, inner, inner_end)
            name = match[1] if match else ""
            if name in ("raw", "endraw"):
                is_raw = name == "raw"
            elif match and not is_raw:
                yield Tag(start, end, name, match.end(), inner_end)
        elif kind == "{" and not is_raw:
            yield Tag(start, end, "", inner, inner_end)
        elif kind == "#" and not is_raw and _SPEAKS_TO_US.search(text, start, end):
            comments.append(ir.Comment(start, text[inner:inner_end].rstrip()))


class _Lowering(Blocks):
    """A Jinja template being lowered."""

    def statement(self, tag: Tag, out: Out) -> None:
        """Lowers one tag with all that it encloses."""
        if not tag.name:
            out.append(ir.Expr(tag.start, tag.end, self.call(tag, "__output__", [self._value(tag, Parser.expression)])))
        elif tag.name in _LOWER:
            _LOWER[tag.name](self, tag, out)
        elif tag.name not in _WITHOUT_EFFECT and not tag.name.startswith("end"):
            out.append(ir.Expr(tag.start, tag.end, self.call(tag, f"tag:{tag.name}", [])))

    def _parser(self, tag: Tag) -> Parser:
        """Returns a parser of what follows the tag's name; it finds nothing if that has no tokens of Jinja's."""
        try:
            return Parser(tokenize(self.text, tag.inner, tag.inner_end))
        except JinjaSyntaxError:
            return Parser([Token("", "", tag.inner_end, tag.inner_end)])

    def _value(self, tag: Tag, read: Callable[[Parser], ir.Expr_], parser: Parser | None = None) -> ir.Expr_:
        """Returns what is read, or an unknown expression in its place."""
        try:
            return read(parser or self._parser(tag))
        except JinjaSyntaxError:
            return ir.Const(tag.inner, tag.inner_end, None, "other")

    def _for(self, tag: Tag, out: Out) -> None:
        parser = self._parser(tag)
        target = self._value(tag, Parser.target, parser)
        parser.take("in")
        source = self._value(tag, Parser.disjunction, parser)
        test = self._value(tag, Parser.condition, parser) if parser.take("if") else None
        body, divider = self.enclosed("for", "else")
        orelse = self.enclosed("for")[0] if divider is not None else []
        if test is not None:
            body = [ir.If(tag.start, self.reached(), test, body, [])]
        out.append(ir.Loop(tag.start, self.reached(), target, source, body, orelse, False, "template"))

    def _if(self, tag: Tag, out: Out) -> None:
        test = self._value(tag, Parser.expression)
        body, divider = self.enclosed("if", "elif", "else")
        orelse: Out = []
        if divider is not None and divider.name == "elif":
            self._if(divider, orelse)
        elif divider is not None:
            orelse, _ = self.enclosed("if")
        out.append(ir.If(tag.start, self.reached(), test, body, orelse))

    def _set(self, tag: Tag, out: Out) -> None:
        parser = self._parser(tag)
        target = self._value(tag, Parser.target, parser)
        if isinstance(target, ir.Attr):  # of a namespace, which holds its attributes like entries
            target = ir.Index(target.start, target.end, target.value, ir.Const(target.start, target.end, target.name))
        if parser.take("="):
            out.append(ir.Assign(tag.start, tag.end, [target], self._value(tag, Parser.expression, parser)))
        else:
            out += self.enclosed("set")[0]
            out.append(ir.Assign(tag.start, tag.end, [target], ir.Const(tag.inner, tag.inner_end, None, "other")))

    def _with(self, tag: Tag, out: Out) -> None:
        """`{% with a=b, c=d %}`, and `{% trans a=b, count=c %}`, which needs no values."""
        parser = self._parser(tag)
        while parser.next.kind == "name":
            name = parser.name()
            if parser.take("="):
                out.append(ir.Assign(tag.start, tag.end, [ir.Name(name.start, name.end, name.text)], self._value(tag, Parser.condition, parser)))
            parser.take(",")
        body, divider = self.enclosed(tag.name, "pluralize")
        out += body
        if divider is not None:
            out += self.enclosed(tag.name)[0]

    def _template(self, tag: Tag, out: Out) -> None:
        out.append(ir.Expr(tag.start, tag.end, self.call(tag, tag.name, [self._value(tag, Parser.disjunction)])))

    def _definition(self, tag: Tag, out: Out) -> None:
        name = self._parser(tag).next
        body, _ = self.enclosed("block")
        out.append(ir.Function(tag.start, self.reached(), f"block:{name.text}", [], body, []))
        out.append(ir.Expr(tag.start, tag.end, self.call(tag, "block", [ir.Const(name.start, name.end, name.text)])))

    def _macro(self, tag: Tag, out: Out) -> None:
        parser = self._parser(tag)
        try:
            name, params = parser.name().text, parser.params()
        except JinjaSyntaxError:
            name, params = "", []
        body, _ = self.enclosed("macro")
        if not any(param.name == CALLER for param in params) and CALLER in self.text[tag.end : self.reached()]:
            params = [*params, ir.Param(tag.start, tag.end, CALLER, "k", None, ir.Const(tag.start, tag.end, None))]
        out.append(ir.Function(tag.start, self.reached(), name, params, body, []))

    def _call_block(self, tag: Tag, out: Out) -> None:
        parser = self._parser(tag)
        try:
            params = parser.params()
        except JinjaSyntaxError:
            params = []
        asked = self._value(tag, Parser.condition, parser)
        body, _ = self.enclosed("call")
        if params and isinstance(asked, ir.Call):  # `{% call(book) table(books) %}…`: what the macro gives to `caller(book)`
            name = f"{CALLER}:{tag.start}"
            out.append(ir.Function(tag.start, self.reached(), name, params, body, []))
            given = (CALLER, ir.Name(asked.end, asked.end, name))
            asked = ir.Call(asked.start, asked.end, asked.func, asked.args, [*asked.keywords, given])
            body = []
        out.append(ir.Expr(tag.start, tag.end, asked))
        out += body

    def _import(self, tag: Tag, out: Out) -> None:
        parser = self._parser(tag)
        template = self.call(tag, "import", [self._value(tag, Parser.disjunction, parser)])
        if tag.name == "import":
            if parser.take("as") and parser.next.kind == "name":
                name = parser.name()
                out.append(ir.Assign(tag.start, tag.end, [ir.Name(name.start, name.end, name.text)], template))
            return
        parser.take("import")
        while parser.next.kind == "name" and parser.next.text not in ("with", "without"):
            name = bound = parser.name()
            if parser.take("as") and parser.next.kind == "name":
                bound = parser.name()
            value = ir.Attr(tag.start, tag.end, template, name.text)
            out.append(ir.Assign(tag.start, tag.end, [ir.Name(bound.start, bound.end, bound.text)], value))
            parser.take(",")

    def _do(self, tag: Tag, out: Out) -> None:
        out.append(ir.Expr(tag.start, tag.end, self._value(tag, Parser.expression)))

    def _jump(self, tag: Tag, out: Out) -> None:
        out.append(ir.Jump(tag.start, tag.end, tag.name))


_LOWER: dict[str, Callable[[_Lowering, Tag, Out], None]] = {
    "for": _Lowering._for,
    "if": _Lowering._if,
    "set": _Lowering._set,
    "with": _Lowering._with,
    "trans": _Lowering._with,
    "include": _Lowering._template,
    "extends": _Lowering._template,
    "block": _Lowering._definition,
    "macro": _Lowering._macro,
    "call": _Lowering._call_block,
    "import": _Lowering._import,
    "from": _Lowering._import,
    "do": _Lowering._do,
    "break": _Lowering._jump,
    "continue": _Lowering._jump,
}
