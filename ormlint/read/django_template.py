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

from ormlint.ir import nodes as ir
from ormlint.read.errors import ReadError
from ormlint.read.limits import READING, fixed_stack, without_gc
from ormlint.read.lines import line_starts
from ormlint.read.template_blocks import Blocks, Out, Tag, find_markup, template_module
from ormlint.read.template_expressions import Bit, lower_bit, lower_condition, lower_expression, split_bits, split_keyword, unknown

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


def lower_django(path: str, text: str) -> ir.Module:
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
        return template_module(path, "django", text, line_starts(text), body, comments)


def _tags(text: str, comments: list[ir.Comment]) -> Iterator[Tag]:
    """Yields the tags and outputs that take effect, and collects the comments that speak to ormlint."""
    closing = ""  # of the `comment` or `verbatim` that the text is in
    for start, end, kind in find_markup(text, within_lines=True):
        if kind == "%":
            tag = _tag(text, start, end)
            if closing:
                if text[start + 2 : end - 2].strip() == closing or (closing == "endcomment" and tag.name == closing):
                    closing = ""
            elif tag.name in ("comment", "verbatim"):
                closing = f"end{text[start + 2 : end - 2].strip()}" if tag.name == "verbatim" else "endcomment"
            elif tag.name:
                yield tag
        elif kind == "#" and not closing and _SPEAKS_TO_US.search(text, start, end):
            comments.append(ir.Comment(start, text[start + 2 : end - 2].rstrip()))
        elif kind == "{" and not closing:
            yield Tag(start, end, "", start + 2, end - 2)


def _tag(text: str, start: int, end: int) -> Tag:
    bits = split_bits(text, start + 2, end - 2)
    return Tag(start, end, bits[0].text, bits[0].end, end - 2) if bits else Tag(start, end, "", end - 2, end - 2)


class _Lowering(Blocks):
    """A Django template being lowered."""

    def _bits(self, tag: Tag) -> list[Bit]:
        return split_bits(self.text, tag.inner, tag.inner_end)

    def statement(self, tag: Tag, out: Out) -> None:
        """Lowers one tag with all that it encloses."""
        if not tag.name:
            if self.text[tag.inner : tag.inner_end].strip():
                value = lower_expression(self.text, tag.inner, tag.inner_end)
                out.append(ir.Expr(tag.start, tag.end, self.call(tag, "__output__", [value])))
        elif tag.name in _LOWER:
            _LOWER[tag.name](self, tag, out)
        elif tag.name not in _WITHOUT_EFFECT and tag.name not in _DIVIDERS and not tag.name.startswith("end"):
            self._other(tag, out)

    def _other(self, tag: Tag, out: Out) -> None:
        """Any tag that is not one of Django's own with a meaning here; it is a block if the template closes it somewhere."""
        bits = self._bits(tag)
        bound = bits[-1] if len(bits) > 1 and bits[-2].text == "as" else None
        call = self.call(tag, f"tag:{tag.name}", *self._arguments(bits[:-2] if bound else bits))
        if bound:
            out.append(ir.Assign(tag.start, tag.end, [ir.Name(bound.start, bound.end, bound.text)], call))
        if tag.name not in self.closed:
            if not bound:
                out.append(ir.Expr(tag.start, tag.end, call))
            return
        body, divider = self.enclosed(tag.name, "else", "empty")
        if divider is None:
            out.extend(body if bound else [ir.Expr(tag.start, tag.end, call), *body])
            return
        orelse, _ = self.enclosed(tag.name)
        out.append(ir.If(tag.start, self.reached(), unknown(tag.start, tag.end) if bound else call, body, orelse))

    def _arguments(self, bits: list[Bit]) -> tuple[list[ir.Expr_], list[tuple[str, ir.Expr_]]]:
        args: list[ir.Expr_] = []
        keywords: list[tuple[str, ir.Expr_]] = []
        for bit in bits:
            keyword = split_keyword(bit)
            if keyword is not None:
                keywords.append((keyword[0], lower_bit(self.text, keyword[1])))
            elif bit.text not in _JOINING_WORDS:
                args.append(lower_bit(self.text, bit))
        return args, keywords

    def _for(self, tag: Tag, out: Out) -> None:
        bits = self._bits(tag)
        if bits and bits[-1].text == "reversed":
            bits = bits[:-1]
        place = next((number for number, bit in enumerate(bits) if bit.text == "in"), len(bits))
        source = lower_expression(self.text, bits[place + 1].start, bits[-1].end) if place + 1 < len(bits) else unknown(tag.inner, tag.inner_end)
        target = self._target(bits[:place], tag)
        body, divider = self.enclosed("for", "empty")
        orelse = self.enclosed("for")[0] if divider is not None else []
        out.append(ir.Loop(tag.start, self.reached(), target, source, body, orelse, False, "template"))

    def _target(self, bits: list[Bit], tag: Tag) -> ir.Expr_:
        names: list[ir.Expr_] = [
            ir.Name(bit.start + match.start(), bit.start + match.end(), match[0]) for bit in bits for match in re.finditer(r"[^\s,]+", bit.text)
        ]
        if not names:
            return unknown(tag.inner, tag.inner_end)
        return names[0] if len(names) == 1 else ir.Seq(names[0].start, names[-1].end, "tuple", names)

    def _if(self, tag: Tag, out: Out) -> None:
        bits = self._bits(tag)
        test = lower_condition(self.text, bits) if bits else unknown(tag.start, tag.end)
        out.append(self._branch(tag, "if", test))

    def _branch(self, tag: Tag, name: str, test: ir.Expr_) -> ir.If:
        body, divider = self.enclosed(name, *(("elif", "else") if name == "if" else ("else",)))
        orelse: Out = []
        if divider is not None and divider.name == "elif":
            self._if(divider, orelse)
        elif divider is not None:
            orelse, _ = self.enclosed(name)
        return ir.If(tag.start, self.reached(), test, body, orelse)

    def _ifchanged(self, tag: Tag, out: Out) -> None:
        out.append(self._branch(tag, tag.name, self.call(tag, f"tag:{tag.name}", *self._arguments(self._bits(tag)))))

    def _cache(self, tag: Tag, out: Out) -> None:
        """Lowers `{% cache 500 sidebar book.pk %}` to `if key not in fragments: …; fragments[key] = …`."""
        key = self.call(tag, f"tag:{tag.name}", *self._arguments(self._bits(tag)))
        fragments = ir.Name(tag.inner, tag.inner, "__fragments__")
        body, _ = self.enclosed(tag.name)
        kept = ir.Assign(tag.start, tag.end, [ir.Index(tag.start, tag.end, fragments, key)], unknown(tag.start, tag.end))
        out.append(ir.If(tag.start, self.reached(), ir.Compare(tag.start, tag.end, "not in", key, fragments), [*body, kept], []))

    def _with(self, tag: Tag, out: Out) -> None:
        out += self._assignments(tag)
        out += self.enclosed(tag.name)[0]

    def _blocktranslate(self, tag: Tag, out: Out) -> None:
        out += self._assignments(tag)
        body, divider = self.enclosed(tag.name, "plural")
        out += body
        if divider is not None:
            out += self.enclosed(tag.name)[0]

    def _assignments(self, tag: Tag) -> Iterator[ir.Stmt]:
        """Yields those of `a=b` and of the old form `b as a`."""
        bits = self._bits(tag)
        for number, bit in enumerate(bits):
            keyword = split_keyword(bit)
            if keyword is not None:
                name, value = keyword
                target = ir.Name(bit.start, bit.start + len(name), name)
                yield ir.Assign(bit.start, bit.end, [target], lower_bit(self.text, value))
            elif bit.text == "as" and 0 < number < len(bits) - 1:
                before, after = bits[number - 1], bits[number + 1]
                target = ir.Name(after.start, after.end, after.text)
                yield ir.Assign(before.start, after.end, [target], lower_bit(self.text, before))

    def _include(self, tag: Tag, out: Out) -> None:
        args, keywords = self._arguments(self._bits(tag))
        only = next((bit for bit in self._bits(tag) if bit.text == "only"), None)
        if only is not None:
            keywords.append(("only", ir.Const(only.start, only.end, True)))
        out.append(ir.Expr(tag.start, tag.end, self.call(tag, "include", args[:1], keywords)))

    def _extends(self, tag: Tag, out: Out) -> None:
        out.append(ir.Expr(tag.start, tag.end, self.call(tag, "extends", self._arguments(self._bits(tag))[0][:1])))

    def _definition(self, tag: Tag, out: Out) -> None:
        """`{% block name %}` and `{% partialdef name [inline] %}`."""
        bits = self._bits(tag)
        name = bits[0].text if bits else ""
        body, _ = self.enclosed(tag.name)
        out.append(ir.Function(tag.start, self.reached(), f"block:{name}", [], body, []))
        if tag.name == "block" or any(bit.text == "inline" for bit in bits[1:]):
            self._use(tag, out)

    def _use(self, tag: Tag, out: Out) -> None:
        for bit in self._bits(tag)[:1]:
            out.append(ir.Expr(tag.start, tag.end, self.call(tag, "block", [ir.Const(bit.start, bit.end, bit.text)])))

    def _regroup(self, tag: Tag, out: Out) -> None:
        bits = self._bits(tag)
        if [bit.text for bit in bits[1::2]] != ["by", "as"] or len(bits) != 5:
            return
        rows, key, target = bits[0], bits[2], bits[4]
        call = self.call(tag, "regroup", [lower_bit(self.text, rows), ir.Const(key.start, key.end, key.text)])
        out.append(ir.Assign(tag.start, tag.end, [ir.Name(target.start, target.end, target.text)], call))


_LOWER: dict[str, Callable[[_Lowering, Tag, Out], None]] = {
    "for": _Lowering._for,
    "if": _Lowering._if,
    "ifchanged": _Lowering._ifchanged,
    "ifequal": _Lowering._ifchanged,
    "ifnotequal": _Lowering._ifchanged,
    "with": _Lowering._with,
    "cache": _Lowering._cache,
    "blocktrans": _Lowering._blocktranslate,
    "blocktranslate": _Lowering._blocktranslate,
    "include": _Lowering._include,
    "extends": _Lowering._extends,
    "block": _Lowering._definition,
    "partialdef": _Lowering._definition,
    "partial": _Lowering._use,
    "regroup": _Lowering._regroup,
}
