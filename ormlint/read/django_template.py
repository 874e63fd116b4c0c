"""Django templates, lowered to the same intermediate language as Python.

A template becomes a module with one function `render(context)`. In its body

    {{ a.b|f:c }}                      is  __output__(filter:f(a.b, c))
    {% for x in xs %}…{% empty %}…     is  a loop of kind template, `empty` being its else branch
    {% if %} {% elif %} {% else %}     is  a branch
    {% with a=b %}…                    is  a = b, then the body
    {% include "x" with a=b only %}    is  include("x", a=b, only=True)
    {% extends "x" %}                  is  extends("x")
    {% block x %}…                     is  def block:x(): …  followed by  block("x")
    {% regroup a by b as c %}          is  c = regroup(a, "b")
    {% anything a k=b as c %}          is  c = tag:anything(a, k=b)

The attribute chains are plain ones: that a template looks up keys first and calls what can be called is known to the engine.
No template is refused: a tag that is not closed ends with what it stands in, one that is closed for no reason is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ormlint.ir import nodes as ir
from ormlint.read.errors import ReadError
from ormlint.read.limits import fixed_stack, without_gc
from ormlint.read.lines import line_starts
from ormlint.read.template_expressions import Bit, lower_bit, lower_condition, lower_expression, split_bits, split_keyword, unknown

_MARKUP = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}")
_SPEAKS_TO_US = re.compile(r"ormlint:|noqa", re.IGNORECASE)
_WITHOUT_EFFECT = frozenset(
    {
        "load",
        "autoescape",
        "spaceless",
        "csrf_token",
        "templatetag",
        "localize",
        "localtime",
        "lorem",
        "debug",
        "now",
        "filter",
        "language",
        "timezone",
        "get_static_prefix",
    }
)
_DIVIDERS = frozenset({"elif", "else", "empty", "plural"})
_JOINING_WORDS = frozenset({"as", "with", "for", "in", "by", "from", "and", "or", "only", "noop", "using", "on", "off", "trimmed"})


class _Tag(NamedTuple):
    """`{% name … %}` or, with an empty name, `{{ … }}`; `inner` and `inner_end` enclose what follows the name."""

    start: int
    end: int
    name: str
    inner: int
    inner_end: int


def lower_django(path: str, text: str) -> ir.Module:
    """Returns the template in the intermediate language, spans being character offsets into `text`.

    Raises ReadError if it is nested too deeply.
    """
    comments: list[ir.Comment] = []
    with without_gc(), fixed_stack():
        tags = list(_tags(text, comments))
        try:
            body = _Lowering(text, tags).template()
        except RecursionError as error:
            raise ReadError("nested too deeply to be analysed") from error
        render = ir.Function(0, len(text), "render", [ir.Param(0, 0, "context")], body, [])
        return ir.Module(path, "", "django", [render], line_starts(text), len(text), comments)


def _tags(text: str, comments: list[ir.Comment]) -> Iterator[_Tag]:
    """Yields the tags and outputs that take effect, and collects the comments that speak to ormlint."""
    closing = ""  # of the `comment` or `verbatim` that the text is in
    for match in _MARKUP.finditer(text):
        start, end = match.span()
        kind = text[start + 1]
        if kind == "%":
            tag = _tag(text, start, end)
            if closing:
                if text[start + 2 : end - 2].strip() == closing or (closing == "endcomment" and tag.name == closing):
                    closing = ""
            elif tag.name in ("comment", "verbatim"):
                closing = f"end{text[start + 2 : end - 2].strip()}" if tag.name == "verbatim" else "endcomment"
            elif tag.name:
                yield tag
        elif kind == "#" and not closing and _SPEAKS_TO_US.search(match[0]):
            comments.append(ir.Comment(start, text[start + 2 : end - 2].rstrip()))
        elif kind == "{" and not closing:
            yield _Tag(start, end, "", start + 2, end - 2)


def _tag(text: str, start: int, end: int) -> _Tag:
    bits = split_bits(text, start + 2, end - 2)
    return _Tag(start, end, bits[0].text, bits[0].end, end - 2) if bits else _Tag(start, end, "", end - 2, end - 2)


Out = list[ir.Stmt]


class _Lowering:
    """One template being lowered: its tags, and how far it has come."""

    def __init__(self, text: str, tags: list[_Tag]) -> None:
        self._text = text
        self._tags = tags
        self._position = 0
        self._closed = {tag.name[3:] for tag in tags if tag.name.startswith("end")}
        self._open: list[str] = []

    def template(self) -> Out:
        """Returns the whole template's statements."""
        out: Out = []
        while self._position < len(self._tags):
            out += self._block()
            self._position += 1  # past a tag that closes or divides nothing
        return out

    def _block(self, *dividers: str) -> Out:
        """Lowers up to a divider or to a tag that closes something open, which is not consumed."""
        out: Out = []
        while self._position < len(self._tags):
            tag = self._tags[self._position]
            if tag.name in dividers or (tag.name.startswith("end") and tag.name[3:] in self._open):
                break
            self._position += 1
            self._statement(tag, out)
        return out

    def _enclosed(self, name: str, *dividers: str) -> tuple[Out, _Tag | None]:
        """Lowers the body of a tag, and returns it with the divider it ends at, or None if it ends otherwise."""
        self._open.append(name)
        body = self._block(*dividers)
        self._open.pop()
        if self._position < len(self._tags) and self._tags[self._position].name in dividers:
            self._position += 1
            return body, self._tags[self._position - 1]
        if self._position < len(self._tags) and self._tags[self._position].name == f"end{name}":
            self._position += 1
        return body, None

    def _reached(self) -> int:
        """Returns the end of what was consumed last."""
        return self._tags[self._position - 1].end

    def _bits(self, tag: _Tag) -> list[Bit]:
        return split_bits(self._text, tag.inner, tag.inner_end)

    def _call(self, tag: _Tag, name: str, args: list[ir.Expr_], keywords: list[tuple[str, ir.Expr_]] | None = None) -> ir.Call:
        return ir.Call(tag.start, tag.end, ir.Name(tag.start, tag.start + 2, name), args, keywords or [])

    def _statement(self, tag: _Tag, out: Out) -> None:
        if not tag.name:
            if self._text[tag.inner : tag.inner_end].strip():
                value = lower_expression(self._text, tag.inner, tag.inner_end)
                out.append(ir.Expr(tag.start, tag.end, self._call(tag, "__output__", [value])))
        elif tag.name in _LOWER:
            _LOWER[tag.name](self, tag, out)
        elif tag.name not in _WITHOUT_EFFECT and tag.name not in _DIVIDERS and not tag.name.startswith("end"):
            self._other(tag, out)

    def _other(self, tag: _Tag, out: Out) -> None:
        """Any tag that is not one of Django's own with a meaning here; it is a block if the template closes it somewhere."""
        bits = self._bits(tag)
        bound = bits[-1] if len(bits) > 1 and bits[-2].text == "as" else None
        call = self._call(tag, f"tag:{tag.name}", *self._arguments(bits[:-2] if bound else bits))
        if bound:
            out.append(ir.Assign(tag.start, tag.end, [ir.Name(bound.start, bound.end, bound.text)], call))
        if tag.name not in self._closed:
            if not bound:
                out.append(ir.Expr(tag.start, tag.end, call))
            return
        body, divider = self._enclosed(tag.name, "else", "empty")
        if divider is None:
            out.extend(body if bound else [ir.Expr(tag.start, tag.end, call), *body])
            return
        orelse, _ = self._enclosed(tag.name)
        out.append(ir.If(tag.start, self._reached(), unknown(tag.start, tag.end) if bound else call, body, orelse))

    def _arguments(self, bits: list[Bit]) -> tuple[list[ir.Expr_], list[tuple[str, ir.Expr_]]]:
        args: list[ir.Expr_] = []
        keywords: list[tuple[str, ir.Expr_]] = []
        for bit in bits:
            keyword = split_keyword(bit)
            if keyword is not None:
                keywords.append((keyword[0], lower_bit(self._text, keyword[1])))
            elif bit.text not in _JOINING_WORDS:
                args.append(lower_bit(self._text, bit))
        return args, keywords

    def _for(self, tag: _Tag, out: Out) -> None:
        bits = self._bits(tag)
        if bits and bits[-1].text == "reversed":
            bits = bits[:-1]
        place = next((number for number, bit in enumerate(bits) if bit.text == "in"), len(bits))
        source = lower_expression(self._text, bits[place + 1].start, bits[-1].end) if place + 1 < len(bits) else unknown(tag.inner, tag.inner_end)
        target = self._target(bits[:place], tag)
        body, divider = self._enclosed("for", "empty")
        orelse = self._enclosed("for")[0] if divider is not None else []
        out.append(ir.Loop(tag.start, self._reached(), target, source, body, orelse, False, "template"))

    def _target(self, bits: list[Bit], tag: _Tag) -> ir.Expr_:
        names: list[ir.Expr_] = [
            ir.Name(bit.start + match.start(), bit.start + match.end(), match[0]) for bit in bits for match in re.finditer(r"[^\s,]+", bit.text)
        ]
        if not names:
            return unknown(tag.inner, tag.inner_end)
        return names[0] if len(names) == 1 else ir.Seq(names[0].start, names[-1].end, "tuple", names)

    def _if(self, tag: _Tag, out: Out) -> None:
        bits = self._bits(tag)
        test = lower_condition(self._text, bits) if bits else unknown(tag.start, tag.end)
        out.append(self._branch(tag, "if", test))

    def _branch(self, tag: _Tag, name: str, test: ir.Expr_) -> ir.If:
        body, divider = self._enclosed(name, *(("elif", "else") if name == "if" else ("else",)))
        orelse: Out = []
        if divider is not None and divider.name == "elif":
            self._if(divider, orelse)
        elif divider is not None:
            orelse, _ = self._enclosed(name)
        return ir.If(tag.start, self._reached(), test, body, orelse)

    def _ifchanged(self, tag: _Tag, out: Out) -> None:
        out.append(self._branch(tag, tag.name, self._call(tag, f"tag:{tag.name}", *self._arguments(self._bits(tag)))))

    def _with(self, tag: _Tag, out: Out) -> None:
        out += self._assignments(tag)
        out += self._enclosed(tag.name)[0]

    def _blocktranslate(self, tag: _Tag, out: Out) -> None:
        out += self._assignments(tag)
        body, divider = self._enclosed(tag.name, "plural")
        out += body
        if divider is not None:
            out += self._enclosed(tag.name)[0]

    def _assignments(self, tag: _Tag) -> Iterator[ir.Stmt]:
        """Yields those of `a=b` and of the old form `b as a`."""
        bits = self._bits(tag)
        for number, bit in enumerate(bits):
            keyword = split_keyword(bit)
            if keyword is not None:
                name, value = keyword
                target = ir.Name(bit.start, bit.start + len(name), name)
                yield ir.Assign(bit.start, bit.end, [target], lower_bit(self._text, value))
            elif bit.text == "as" and 0 < number < len(bits) - 1:
                before, after = bits[number - 1], bits[number + 1]
                target = ir.Name(after.start, after.end, after.text)
                yield ir.Assign(before.start, after.end, [target], lower_bit(self._text, before))

    def _include(self, tag: _Tag, out: Out) -> None:
        args, keywords = self._arguments(self._bits(tag))
        only = next((bit for bit in self._bits(tag) if bit.text == "only"), None)
        if only is not None:
            keywords.append(("only", ir.Const(only.start, only.end, True)))
        out.append(ir.Expr(tag.start, tag.end, self._call(tag, "include", args[:1], keywords)))

    def _extends(self, tag: _Tag, out: Out) -> None:
        out.append(ir.Expr(tag.start, tag.end, self._call(tag, "extends", self._arguments(self._bits(tag))[0][:1])))

    def _definition(self, tag: _Tag, out: Out) -> None:
        """`{% block name %}` and `{% partialdef name [inline] %}`."""
        bits = self._bits(tag)
        name = bits[0].text if bits else ""
        body, _ = self._enclosed(tag.name)
        out.append(ir.Function(tag.start, self._reached(), f"block:{name}", [], body, []))
        if tag.name == "block" or any(bit.text == "inline" for bit in bits[1:]):
            self._use(tag, out)

    def _use(self, tag: _Tag, out: Out) -> None:
        for bit in self._bits(tag)[:1]:
            out.append(ir.Expr(tag.start, tag.end, self._call(tag, "block", [ir.Const(bit.start, bit.end, bit.text)])))

    def _regroup(self, tag: _Tag, out: Out) -> None:
        bits = self._bits(tag)
        if [bit.text for bit in bits[1::2]] != ["by", "as"] or len(bits) != 5:
            return
        rows, key, target = bits[0], bits[2], bits[4]
        call = self._call(tag, "regroup", [lower_bit(self._text, rows), ir.Const(key.start, key.end, key.text)])
        out.append(ir.Assign(tag.start, tag.end, [ir.Name(target.start, target.end, target.text)], call))


_LOWER: dict[str, Callable[[_Lowering, _Tag, Out], None]] = {
    "for": _Lowering._for,
    "if": _Lowering._if,
    "ifchanged": _Lowering._ifchanged,
    "ifequal": _Lowering._ifchanged,
    "ifnotequal": _Lowering._ifchanged,
    "with": _Lowering._with,
    "blocktrans": _Lowering._blocktranslate,
    "blocktranslate": _Lowering._blocktranslate,
    "include": _Lowering._include,
    "extends": _Lowering._extends,
    "block": _Lowering._definition,
    "partialdef": _Lowering._definition,
    "partial": _Lowering._use,
    "regroup": _Lowering._regroup,
}
