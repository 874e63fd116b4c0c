"""Some rows of a collection that a loop asks of row after row, prefetched into a list of each row.

for author in Author.objects.all():                for author in Author.objects.prefetch_related(
    for book in author.books.filter(sold=True):            Prefetch("books", queryset=Book.objects.filter(sold=True), to_attr="sold_books")
        print(book.title)                              ):
                                                       for book in author.sold_books:
                                                           print(book.title)

What is asked for must be known where the rows are asked for, and mean there what it means in the loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Link, chain_of, quote_for
from ormlint.fixes.django_loads import PREFETCH, Lookup, add_lookups, obstacle_of_prefetching
from ormlint.fixes.guards import SEVERAL, refined_by, risk_of_sharing
from ormlint.fixes.imports import Refusal, in_one_statement, is_imported, spell_import, spell_model
from ormlint.fixes.keys import loops_around
from ormlint.fixes.quiet import is_asked_anyhow, is_list_enough
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Function, Statement
from ormlint.fixes.variables import bindings
from ormlint.fixes.walk import binds
from ormlint.fixes.walked import OTHER_ROWS, gives_queryset, names_taken, variable_of, walks
from ormlint.judge.finding import Applicability, Fix, PrefetchChosen
from ormlint.judge.orders import is_ordered
from ormlint.link.schema import Kind, Model, Schema
from ormlint.text import Edit

_DESCRIPTION = "prefetch these rows with the query, into a list of each row"
_REASON = "the rows are fetched before the loop, which does not see what is written meanwhile, and a second walk meets the same objects"
_ORDER = "nothing says in which order they come"
_VARIES = "what is asked for may be another thing in the loop than where the rows are asked for"
_UNKNOWN = "what is asked of the rows cannot be read from the text"
_ASKING = frozenset({"filter", "exclude", "order_by", "all"})
_EXPRESSIONS = frozenset({"Q", "F"})
_CONSUMING = frozenset({"sum", "any", "all", "min", "max", "list", "set", "tuple", "frozenset", "sorted", "dict"})
_PLAIN = (
    *(cst.Name, cst.Attribute, cst.SimpleString, cst.Integer, cst.Float, cst.List, cst.Tuple, cst.Set),
    *(cst.UnaryOperation, cst.BinaryOperation, cst.ConcatenatedString),
)


@dataclass(frozen=True, slots=True)
class _Place:
    """The query of the rows, `home`, and the query per row: the chain as a whole, and its links behind the collection."""

    file: SourceFile
    statement: Statement
    home: cst.BaseExpression
    whole: cst.BaseExpression
    asked: tuple[Link, ...]
    row: str
    loop: cst.For | cst.CompFor


def prefetch_chosen(sources: Sources, intent: PrefetchChosen, schema: Schema) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the places are not found."""
    file, statement, site = sources.file(intent.home), sources.statement(intent.home), intent.chosen.site
    home = statement.expression(intent.home.start, intent.home.end) if statement is not None else None
    if file is None or statement is None or home is None:
        return None
    made: Fix | Refusal | None = Refusal("the rows are walked in another function than the one that makes the query")
    if sources.statement(site) is statement:
        node = statement.expression(site.start, site.end)
        made = _fix(sources, (file, statement), home, node, intent, schema) if node is not None else None
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), made.reason) if isinstance(made, Refusal) else made


def _fix(
    sources: Sources,
    at: tuple[SourceFile, Statement],
    home: cst.BaseExpression,
    node: cst.BaseExpression,
    intent: PrefetchChosen,
    schema: Schema,
) -> Fix | Refusal | None:
    file, statement = at
    place = _place(file, statement, home, node, intent)
    if isinstance(place, Refusal):
        return place
    relation, target, model = intent.relation, intent.relation.target, intent.query.model
    if target is None or model is None or not target.has_objects or not target.has_plain_manager or target.polymorphic:
        return Refusal("the manager or the class of the rows says itself what they are")
    shared = risk_of_sharing(sources, intent.query, intent.home, is_new=gives_queryset(sources, statement, home, intent.query))
    if shared not in ("", SEVERAL) or refined_by(intent.query, intent.home):
        return Refusal(shared or "other queries are made from the same one")
    obstacle = obstacle_of_prefetching(sources, intent.query) or _obstacle(place, target, through=relation.kind is Kind.MANY_TO_MANY)
    if obstacle:
        return Refusal(obstacle)
    name = _fresh(sources, place, intent, model)
    spelled = [spell_import(file, intent.home.start, "django.db.models", "Prefetch"), spell_model(file, intent.home.start, target, schema)]
    known = [each for each in spelled if not isinstance(each, Refusal)]
    if name is None or len(known) < len(spelled):
        return next((each for each in spelled if isinstance(each, Refusal)), Refusal("no name for the list is free"))
    quote = quote_for(file, statement, chain_of(statement, home))
    asked = (_in_one_line(statement, place.whole) or "").removeprefix(f"{place.row}.{relation.name}")
    written = f"{known[0].text}({quote}{relation.name}{quote}, queryset={known[1].text}.objects{asked}, to_attr={quote}{name}{quote})"
    made = add_lookups(sources, file, statement, intent.query, intent.home, [Lookup(PREFETCH, relation.name, written)])
    if not isinstance(made, Fix):
        return made
    if made.applicability is Applicability.DISPLAY:
        return Refusal(made.reason)
    read: Edit = file.edit(*statement.span(place.whole), f"{place.row}.{name}")
    edits = (*made.edits, *in_one_statement([edit for each in known for edit in each.edits]), read)
    ordered = is_ordered(intent.chosen, target) or is_asked_anyhow(statement, place.whole, file.text)
    reason = "; ".join(filter(None, (_REASON, "" if ordered else _ORDER, intent.risk, shared)))
    return Fix(Applicability.UNSAFE, f"prefetch them with the query, and read `{name}`", edits, reason)


def _place(file: SourceFile, statement: Statement, home: cst.BaseExpression, node: cst.BaseExpression, intent: PrefetchChosen) -> _Place | Refusal:
    chain = chain_of(statement, node)
    if not isinstance(chain.root, cst.Name) or not chain.links or not chain.links[0].is_attribute or chain.links[0].name != intent.relation.name:
        return Refusal("the collection is not named there")
    row, asked = chain.root.value, chain.links[1:]
    if not asked or any(link.call is None or link.name not in _ASKING for link in asked):
        return Refusal(_UNKNOWN)
    whole = asked[-1].node
    variable, loop = variable_of(statement, home), next(iter(loops_around(statement, whole, row)), None)
    scope = statement.function(whole)
    if loop is None or isinstance(variable, Refusal) or not isinstance(scope, cst.FunctionDef) or scope is not statement.function(loop):
        return Refusal(OTHER_ROWS)
    if binds(_around(statement, loop), row) > 1 or not walks(statement, loop, home, variable):
        return Refusal(OTHER_ROWS)
    if any(True for kind in (cst.Yield, cst.Lambda, cst.Await) for _ in statement.within(_around(statement, loop), kind)):
        return Refusal("the loop hands its rows on, or waits, and others may write in between")
    if not is_list_enough(statement, whole, file.text) or _is_handed_on(statement, whole):
        return Refusal("a list would stand where a queryset may be needed")
    if not (_in_one_line(statement, whole) or "").startswith(f"{row}.{intent.relation.name}"):
        return Refusal("a comment, or a text over several lines, stands in the query per row")
    return _Place(file, statement, home, whole, asked, row, loop)


def _in_one_line(statement: Statement, node: cst.BaseExpression) -> str | None:
    """Returns the text of an expression without line breaks, None if it holds a comment or a text of several lines."""
    text = statement.code(node)
    if not re.search(r"[\r\n]", text):
        return text
    if "#" in text or "\\" in text or any(re.search(r"[\r\n]", each.value) for each in statement.within(node, cst.SimpleString)):
        return None
    if next(statement.within(node, cst.Tuple), None) is None:
        text = re.sub(r",\s*[\r\n]\s*(?=\))", "", text)
    for found, instead in ((r"(?<=[\[(])\s*[\r\n]\s*", ""), (r"\s*[\r\n]\s*(?=[\]).])", ""), (r"\s*[\r\n]\s*", " ")):
        text = re.sub(found, instead, text)
    return text


def _around(statement: Statement, loop: cst.For | cst.CompFor) -> cst.CSTNode:
    """Returns the loop, or the comprehension that a clause belongs to."""
    return loop if isinstance(loop, cst.For) else next((each for each in statement.ancestors(loop) if isinstance(each, cst.BaseComp)), loop)


def _is_handed_on(statement: Statement, whole: cst.BaseExpression) -> bool:
    """Whether a generator around an expression may be walked by others than the call that it stands in."""
    generators = [above for above in statement.ancestors(whole) if isinstance(above, cst.GeneratorExp)]
    for generator in generators:
        argument = statement.parent(generator)
        match statement.parent(argument) if isinstance(argument, cst.Arg) else None:
            case cst.Call(func=cst.Name(value=name)) if name in _CONSUMING:
                continue
            case cst.Call(func=cst.Attribute(value=cst.SimpleString(), attr=cst.Name(value="join"))):
                continue
            case _:
                return True
    return False


# ------------------------------------------------------------------------------------------------- what is asked of the rows
def _obstacle(place: _Place, target: Model, *, through: bool) -> str:
    """Returns why the conditions cannot be stated with the query of the rows, "" if they can."""
    scope = place.statement.function(place.whole)
    for link in place.asked:
        assert link.call is not None
        for argument in link.call.args:
            if argument.star or not all(_is_plain(place, node) for node in _expressions(argument.value)):
                return _UNKNOWN
            if argument.keyword is None and link.name != "order_by" and not _is_q(place, argument.value):
                return _UNKNOWN
            if scope is None or any(_may_vary(place, scope, name, argument) for name in _names(place.statement, argument.value)):
                return _VARIES
        if through and any(_leads_to_many(target, lookup) for lookup in _lookups(place.statement, link)):
            return "the relation joins the rows that link the two, which the conditions may be about"
    return ""


def _lookups(statement: Statement, link: Link) -> list[str]:
    named = [each.keyword.value for each in statement.within(link.node, cst.Arg) if each.keyword is not None]
    if link.name != "order_by" or link.call is None:
        return named
    texts = [argument.value for argument in link.call.args]
    return [*named, *(str(text.evaluated_value).lstrip("-") if isinstance(text, cst.SimpleString) else "?" for text in texts)]


def _expressions(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yields an expression and those in it."""
    yield node
    for child in node.children:
        if isinstance(child, cst.BaseExpression):
            yield from _expressions(child)
        elif isinstance(child, (cst.Arg, cst.BaseElement)):
            yield from _expressions(child.value)


def _is_plain(place: _Place, node: cst.BaseExpression) -> bool:
    """Whether an expression gives the same whenever it is evaluated, if the names in it do: no call but `Q(…)` and `F(…)`."""
    match node:
        case cst.Call(func=cst.Name(value=name)):
            offset = place.statement.span(node)[0]
            return name in _EXPRESSIONS and is_imported(place.file, offset, name) and not any(each.star for each in node.args)
        case cst.Call(func=cst.Attribute(value=cst.Name(value="models"), attr=cst.Name(value=name))):
            return name in _EXPRESSIONS and is_imported(place.file, place.statement.span(node)[0], "models", "django.db")
        case _:
            return isinstance(node, _PLAIN)


def _is_q(place: _Place, node: cst.BaseExpression) -> bool:
    """Whether an expression is made of `Q(…)` written there."""
    match node:
        case cst.Call(func=cst.Name(value="Q") | cst.Attribute(attr=cst.Name(value="Q"))):
            return True
        case cst.BinaryOperation(left=left, operator=cst.BitAnd() | cst.BitOr(), right=right):
            return _is_q(place, left) and _is_q(place, right)
        case cst.UnaryOperation(operator=cst.BitInvert(), expression=inner):
            return _is_q(place, inner)
        case _:
            return False


def _names(statement: Statement, node: cst.BaseExpression) -> set[str]:
    """Returns the names that an expression reads."""
    found = set()
    for name in statement.within(node, cst.Name):
        above = statement.parent(name)
        is_part = (isinstance(above, cst.Attribute) and above.attr is name) or (isinstance(above, cst.Arg) and above.keyword is name)
        if not is_part:
            found.add(name.value)
    return found


def _may_vary(place: _Place, scope: Function, name: str, argument: cst.Arg) -> bool:
    """Whether a name may mean another thing in the loop than in the query of the rows, or its value be changed by the loop."""
    statement, around = place.statement, _around(place.statement, place.loop)
    begin = statement.span(place.home)[0]
    outermost = [scope, *(above for above in statement.ancestors(scope) if isinstance(above, cst.FunctionDef))][-1]
    if any(statement.span(node)[0] >= begin for node in bindings(statement, outermost, name)):
        return True
    loops = [above for above in statement.ancestors(around) if isinstance(above, (cst.For, cst.While))]
    made = list(statement.ancestors(place.home))
    if any(loop not in made and any(loop in statement.ancestors(node) for node in bindings(statement, scope, name)) for loop in loops):
        return True
    lookups = [each.keyword.value for each in statement.within(argument, cst.Arg) if each.keyword is not None]
    if not any(lookup.endswith("__in") for lookup in lookups) and next(statement.within(argument.value, cst.Attribute), None) is None:
        return False
    # a list may grow in the loop, and an object be changed
    asked = [statement.span(link.call) for link in place.asked if link.call is not None]
    others = (statement.span(each)[0] for each in statement.within(around, cst.Name) if each.value == name)
    return any(not any(start <= at < end for start, end in asked) for at in others)


def _leads_to_many(model: Model, lookup: str) -> bool:
    """Whether a lookup may lead over a collection."""
    here: Model | None = model
    for part in lookup.split("__"):
        relation = here.relation(part) if here is not None else None
        if relation is None:
            return here is None or not (part in here.columns or here.is_primary_key(part) or part in here.concrete)
        if not relation.to_one:
            return True
        here = relation.target
    return False


# --------------------------------------------------------------------------------------------------------------- its name
def _fresh(sources: Sources, place: _Place, intent: PrefetchChosen, model: Model) -> str | None:
    """Returns a name for the list that no row has and no file that matters mentions, and no other fix gives in this function."""
    taken = names_taken(intent.query, model)
    places = (intent.home, model.site, *(base.site for base in model.bases))
    texts = {each.path: file.text for each in places if (file := sources.file(each)) is not None}
    scope = [above for above in place.statement.ancestors(place.whole) if isinstance(above, cst.FunctionDef)][-1]
    for name in _wanted(place.asked, intent.relation.name):
        if name in taken or any(re.search(rf"\b{name}\b", text) for text in texts.values()):
            continue
        if sources.given.setdefault((id(scope), name), place.whole) is place.whole:
            return name
    return None


def _wanted(asked: Iterable[Link], collection: str) -> list[str]:
    """Returns names for the rows: `published_books` for `filter(published=True)`, `books_by_year` for `filter(year=year)`."""
    given = [each for link in asked if link.name == "filter" and link.call is not None for each in link.call.args]
    named = [(each.keyword.value, each.value) for each in given if each.keyword is not None]
    found = []
    match named:
        case [(flag, cst.Name(value="True"))] if "__" not in flag:
            found.append(f"{flag.removeprefix('is_')}_{collection}")
        case [(lookup, _)]:
            found.append(f"{collection}_by_{lookup.replace('__', '_')}")
    return [*found, f"chosen_{collection}", f"{collection}_chosen", f"wanted_{collection}", f"{collection}_wanted"]
