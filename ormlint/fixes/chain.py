"""Method chains: `Book.objects.filter(…).order_by(…)[:5]`, and where a method is inserted into one.

root ──links──►  .objects   .filter(…)   .order_by(…)   [:5]
                 attribute  call         call           index
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.source import SourceFile
from ormlint.fixes.statement import Statement
from ormlint.text import Edit

# What binds as tightly as a method call, so that `.name()` may follow without parentheses.
_POSTFIX = (
    cst.Name,
    cst.Attribute,
    cst.Call,
    cst.Subscript,
    cst.List,
    cst.Dict,
    cst.Set,
    cst.ListComp,
    cst.SetComp,
    cst.DictComp,
    cst.SimpleString,
    cst.FormattedString,
)
_WRAPPERS = frozenset({"list", "tuple", "set", "frozenset", "iter", "aiter", "sorted", "reversed", "enumerate"})


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a chain. `node` is the expression up to and including the step, `receiver` that before it.

    `name` is the attribute's or method's name ("" for an index), `dot` the dot before it.
    """

    node: cst.BaseExpression
    receiver: cst.BaseExpression
    name: str
    dot: cst.Dot | None

    @property
    def call(self) -> cst.Call | None:
        """The method call, None if the step is an attribute or an index."""
        return self.node if isinstance(self.node, cst.Call) else None

    @property
    def is_index(self) -> bool:
        """Whether the step is `[…]`."""
        return self.dot is None

    @property
    def is_attribute(self) -> bool:
        """Whether the step is an attribute that is not called."""
        return isinstance(self.node, cst.Attribute)


@dataclass(frozen=True, slots=True)
class Chain:
    """An expression taken apart: what it begins with, and its links from the inside out."""

    root: cst.BaseExpression
    links: tuple[Link, ...]
    inner: int  # how many of the links belong to the expression that was asked for; the rest follows it in the text

    def receiver(self, index: int) -> cst.BaseExpression:
        """Returns the expression that ends before the link with this index."""
        return self.links[index - 1].node if index else self.root


def chain_of(statement: Statement, node: cst.BaseExpression) -> Chain:
    """Returns the chain that an expression is, with the links that follow it in the text.

    `await …`, `list(…)` and the like are seen through.
    """
    node = seen_through(node)
    top = node
    while True:
        above = statement.parent(top)
        match above:
            case cst.Attribute(value=below) | cst.Subscript(value=below) | cst.Call(func=below) if below is top:
                top = above
            case _:
                break
    root, links = _take_apart(top)
    inner = len(_take_apart(node)[1])
    return Chain(root, links, inner)


def seen_through(node: cst.BaseExpression) -> cst.BaseExpression:
    """Returns what `await` waits for and what `list(…)` and the like walk over."""
    while True:
        if isinstance(node, cst.Await):
            node = node.expression
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in _WRAPPERS and len(node.args) >= 1:
            node = node.args[0].value
        else:
            return node


def _take_apart(node: cst.BaseExpression) -> tuple[cst.BaseExpression, tuple[Link, ...]]:
    links: list[Link] = []
    while True:
        match node:
            case cst.Call(func=cst.Attribute(value=receiver, attr=name, dot=dot)):
                links.append(Link(node, receiver, name.value, dot))
            case cst.Attribute(value=receiver, attr=name, dot=dot):
                links.append(Link(node, receiver, name.value, dot))
            case cst.Subscript(value=receiver):
                links.append(Link(node, receiver, "", None))
            case _:
                return node, tuple(reversed(links))
        node = receiver


def last_name(node: cst.BaseExpression) -> str:
    """Returns the name that an expression ends in, `Book` of `models.Book`, "" if it is no name."""
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case _:
            return ""


def is_postfix(node: cst.BaseExpression) -> bool:
    """Whether `.name()` may follow an expression as it stands."""
    return bool(node.lpar) or isinstance(node, _POSTFIX)


def insert_links(file: SourceFile, statement: Statement, chain: Chain, index: int, links: Sequence[str]) -> list[Edit]:
    """Returns the edits that insert links (`.name(…)`) before the link with this index, in the chain's own layout."""
    following = chain.links[index] if index < len(chain.links) else None
    receiver = chain.receiver(index)
    if following is not None and following.dot is not None:
        dot = statement.span(following.dot)[0]
        indentation = file.indentation(dot)
        if indentation is not None:
            separator = _line_break(file, statement, following) + indentation
            return [file.insert(dot, "".join(link + separator for link in links))]
    start, end = statement.span(receiver)
    if not isinstance(receiver, _POSTFIX):
        if receiver.lpar:
            return [file.insert(statement.outer(receiver)[1], "".join(links))]
        return [file.insert(start, "("), file.insert(end, ")" + "".join(links))]
    model = next((link for link in reversed(chain.links[:index]) if _begins_line(file, statement, link)), None)
    if model is None or model.dot is None:
        return [file.insert(end, "".join(links))]
    separator = _line_break(file, statement, model) + (file.indentation(statement.span(model.dot)[0]) or "")
    rest = file.rest_of_line(end)
    if rest.lstrip().startswith("#") and "\\" not in separator:
        end += len(rest)
    return [file.insert(end, "".join(separator + link for link in links))]


def _begins_line(file: SourceFile, statement: Statement, link: Link) -> bool:
    return link.dot is not None and file.indentation(statement.span(link.dot)[0]) is not None


def _line_break(file: SourceFile, statement: Statement, link: Link) -> str:
    """Returns the line ending that stands before a link at the beginning of a line, with its backslash if it has one."""
    assert link.dot is not None
    before = file.text[statement.outer(link.receiver)[1] : statement.span(link.dot)[0]]
    return f" \\{file.newline}" if "\\" in before and "#" not in before else file.newline


def append_argument(file: SourceFile, statement: Statement, call: cst.Call, code: Iterable[str]) -> list[Edit]:
    """Returns the edits that add arguments after those a call has, in the call's own layout."""
    added = list(code)
    if not call.args:
        return [file.insert(statement.span(call)[1] - 1, ", ".join(added))]
    last = call.args[-1]
    comma = last.comma if isinstance(last.comma, cst.Comma) else None
    start = statement.span(last)[0]
    end = statement.outer(last.value)[1]
    return append_element(file, start, end, statement.span(comma)[0] + 1 if comma is not None else None, added)


def append_element(file: SourceFile, start: int, end: int, after_comma: int | None, added: list[str]) -> list[Edit]:
    """Returns the edits that add elements behind the last one of a list between brackets, which stands at `start:end`.

    `after_comma` is where its trailing comma ends, None if there is none.
    """
    indentation = file.list_indentation(start)
    if indentation is None:
        if after_comma is None:
            return [file.insert(end, "".join(f", {code}" for code in added))]
        return [file.insert(after_comma, "".join(f" {code}," for code in added))]
    separator = file.newline + indentation
    at = end if after_comma is None else after_comma
    comment = file.rest_of_line(at)
    behind = at + len(comment.rstrip()) if comment.lstrip().startswith("#") else at
    if after_comma is not None:
        return [file.insert(behind, "".join(f"{separator}{code}," for code in added))]
    lines = separator + f",{separator}".join(added)
    if behind == at:
        return [file.insert(at, "," + lines)]
    return [file.insert(at, ","), file.insert(behind, lines)]


def quote_for(file: SourceFile, statement: Statement, chain: Chain) -> str:
    """Returns the quote to write strings with: that of the chain, else that of the file; never that of an f-string around it."""
    around = [above for above in statement.ancestors(chain.root) if isinstance(above, cst.FormattedString)]
    if around:
        return '"' if around[-1].start.endswith("'") else "'"
    for link in chain.links:
        for string in statement.within(link.node, cst.SimpleString):
            return string.quote[0]
    return "'" if file.text.count("'") > file.text.count('"') else '"'
