"""What is asked of the database again though it was prefetched: it is picked from the rows that are at hand.

author.books.values_list("title", flat=True)     [book.title for book in author.books.all()]
author.books.filter(pages=3)                     [book for book in author.books.all() if book.pages == 3]
author.books.filter(pages=3).exists()            any(book.pages == 3 for book in author.books.all())
author.books.order_by("title")                   sorted(author.books.all(), key=lambda book: book.title)
author.books.first()                             min(author.books.all(), key=lambda book: book.pk, default=None)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from ormlint.fixes.chain import Chain, Link, chain_of
from ormlint.fixes.columns import is_simple
from ormlint.fixes.conditions import Row, condition
from ormlint.fixes.imports import Refusal
from ormlint.fixes.quiet import is_asked_anyhow, is_list_enough, is_quiet_loop, loop_of
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.variables import is_bound_nowhere
from ormlint.judge.finding import Applicability, Fix, PickFromPrefetched
from ormlint.judge.orders import is_ordered
from ormlint.link.schema import Model
from ormlint.run.log import Event, Loaded, QueryObject

_DESCRIPTION = "pick it from the prefetched rows"
_ORDER = "nothing says which row comes first, and each query may give its rows in another order"
_WRITTEN = "what is written after the rows were loaded would not be seen"
_CUSTOM = "the prefetched rows come from a query of their own"
_MANAGER = "the manager or the class of the rows says itself what they are"
_COMPARES = "Python compares otherwise than the database: types, case, accents and missing values may count"
_SORTS = "Python sorts otherwise than the database, as by case and accents, and rows that are equal in it may change places"
_UNKNOWN = "what is asked of the rows cannot be read from the text"
_LISTED = frozenset({"", "values_list"})
_ENDS = frozenset({"first", "last"})  # behind which a row is read


@dataclass(slots=True)
class _Question:
    """What a chain asks of a collection: which of its rows, in which order, and what of them."""

    conditions: list[tuple[bool, cst.Call]] = field(default_factory=list)  # those of filter(), and with False those of exclude()
    order: str = ""
    end: str = ""  # values_list, exists, count, first, last, "" for the rows
    column: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """A chain `row.books.filter(…)` and the parts of it."""

    file: SourceFile
    statement: Statement
    chain: Chain
    collection: Link  # `row.books`
    question: _Question
    model: Model
    whole: cst.BaseExpression  # the chain up to the end of the question: `row.books.first()` of `row.books.first().title`


def pick_from_prefetched(sources: Sources, intent: PickFromPrefetched) -> Fix | None:
    """Returns the fix, a display-only one if it cannot be written, None if the place is not found."""
    event, query = intent.event, intent.event.query
    if query is None or query.steps or query.ways or query.raw or event.row is None or event.row.query.generic:
        return None
    file, statement = sources.file(query.site), sources.statement(query.site)
    node = statement.expression(query.site.start, query.site.end) if statement is not None else None
    if file is None or statement is None or node is None or query.model is None:
        return None
    made = _picked(file, statement, node, event, query.model)
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), made.reason) if isinstance(made, Refusal) else made


def _picked(file: SourceFile, statement: Statement, node: cst.BaseExpression, event: Event, model: Model) -> Fix | Refusal:
    place = _place(file, statement, node, event, model)
    if isinstance(place, Refusal):
        return place
    loaded = list(_loaded(event))
    if any(entry is None or entry.plan.only is not None or entry.plan.deferred for entry in loaded):
        return Refusal("the prefetched rows may lack columns")
    custom = any(entry.custom for entry in loaded if entry is not None)
    code = _code(place, custom)
    if isinstance(code, Refusal):
        return code
    for function in ("any", "max", "min", "next", "sorted", "sum"):
        if f"{function}(" in code and not is_bound_nowhere(file.text, function):
            return Refusal(f"`{function}` means something else there")
    if place.question.end in _LISTED and not is_list_enough(statement, place.whole, file.text):
        return Refusal("a list would stand where a queryset may be needed")
    start, end = statement.span(_with_list(place) if place.question.end in _LISTED else place.whole)
    if "#" in file.text[start:end]:
        return Refusal("a comment stands in the expression")
    risk = "; ".join(_risks(place, event, custom))
    glued = " " if code[0].isalpha() and (file.text[start - 1].isalnum() or file.text[start - 1] == "_") else ""
    edit = file.edit(start, end, glued + code)
    return Fix(Applicability.UNSAFE if risk else Applicability.SAFE, _DESCRIPTION, (edit,), risk)


def _with_list(place: _Place) -> cst.BaseExpression:
    """Returns `list(…)` around the chain, which makes no other list of one, else the chain itself."""
    argument = place.statement.parent(place.whole)
    call = place.statement.parent(argument) if argument is not None else None
    match call:
        case cst.Call(func=cst.Name(value="list"), args=[cst.Arg(star="", keyword=None)]):
            return call if is_bound_nowhere(place.file.text, "list") else place.whole
        case _:
            return place.whole


def _loaded(event: Event) -> Iterator[Loaded | None]:
    """Yields how the collection is loaded along with the rows, on every way to the query that gave them."""
    assert event.row is not None
    assert event.relation is not None
    for way in event.row.query.every_way():
        plan, entry = way.plan, None
        for name in (*event.row.path, event.relation.name):
            entry = plan.loaded.get(name)
            if entry is None:
                break
            plan = entry.plan
        yield entry


def _place(file: SourceFile, statement: Statement, node: cst.BaseExpression, event: Event, model: Model) -> _Place | Refusal:
    relation = event.relation
    if relation is None or relation.target is not model or model.polymorphic:
        return Refusal("the rows may be of several models")
    if statement.function(node) is None:
        return Refusal("it stands in no function")
    chain = chain_of(statement, node)
    at = next((number for number, link in enumerate(chain.links[: chain.inner]) if link.is_attribute and link.name == relation.name), None)
    if at is None or isinstance(chain.root, cst.Call):
        return Refusal("the collection is not named there")
    links = chain.links[at + 1 :]
    end = next((number for number, link in enumerate(links) if link.name in _ENDS), len(links) - 1)
    question = _question(links[: end + 1])
    if question is None:
        return Refusal(_UNKNOWN)
    return _Place(file, statement, chain, chain.links[at], question, model, links[end].node)


def _question(links: tuple[Link, ...]) -> _Question | None:
    """Returns what methods of a collection ask for, None if that is not understood."""
    question = _Question()
    for number, link in enumerate(links):
        call, is_last = link.call, number == len(links) - 1
        if call is None:
            return None
        texts = [str(each.value.evaluated_value) for each in call.args if isinstance(each.value, cst.SimpleString) and not each.star]
        match link.name:
            case "all" if not call.args:
                pass
            case "filter" | "exclude":
                question.conditions.append((link.name == "filter", call))
            case "order_by" if len(texts) == len(call.args) == 1:
                question.order = texts[0]
            case "exists" | "count" | "first" | "last" if is_last and not call.args:
                question.end = link.name
            case "values_list" if is_last and len(texts) == 1 and _is_flat(call):
                question.end, question.column = link.name, texts[0]
            case _:
                return None
    return question


def _is_flat(call: cst.Call) -> bool:
    match call.args:
        case [cst.Arg(keyword=None, star=""), cst.Arg(value=cst.Name(value="True"), keyword=cst.Name(value="flat"))]:
            return True
        case _:
            return False


# ------------------------------------------------------------------------------------------------------- the expression
def _code(place: _Place, custom: bool) -> str | Refusal:
    """Returns the expression that picks from the rows what the chain asks for."""
    question, model = place.question, place.model
    target = _target(place)
    row = Row(place.file, place.statement, model, target or _variable(place))
    conditions: list[str] = []
    for wanted, call in question.conditions:
        made = condition(row, call, wanted)
        if isinstance(made, Refusal):
            return made
        conditions.append(made)
    start = place.statement.outer(place.chain.root)[0]
    rows = f"{place.file.text[start : place.statement.span(place.collection.node)[1]]}.all()"
    clause = f"for {row.name} in {rows}" + (f" if {' and '.join(conditions)}" if conditions else "")
    if target:
        return f"{rows} if {' and '.join(conditions)}"
    if question.end == "exists" and conditions:
        return f"any({' and '.join(conditions)} for {row.name} in {rows})"
    if question.end == "count" and conditions:
        return f"sum(1 {clause})"
    if question.end in _ENDS:
        return _one(place, row.name, f"({row.name} {clause})" if conditions else rows, custom)
    source = f"[{row.name} {clause}]" if conditions else rows
    if question.order:
        column = question.order.removeprefix("-")
        if not _is_sortable(model, column):
            return Refusal(f"rows may have no `{column}`, or one that Python does not sort as the database does")
        downwards = ", reverse=True" if question.order.startswith("-") else ""
        source = f"sorted({source}, key=lambda {row.name}: {row.name}.{column}{downwards})"
        clause = f"for {row.name} in {source}"
    if question.end == "values_list":
        if not _is_plain_value(model, question.column):
            return Refusal(f"`{question.column}` is no plain column of the rows")
        return f"[{row.name}.{question.column} {clause}]"
    return source if question.end == "" and (conditions or question.order) else Refusal(_UNKNOWN)


def _one(place: _Place, name: str, rows: str, custom: bool) -> str | Refusal:
    """Returns the expression that gives the first or the last of some rows, or None."""
    question, model = place.question, place.model
    column = question.order.removeprefix("-")
    if not question.order:
        if custom or not model.ordering_known or not model.has_plain_manager or (model.ordering and question.end == "last"):
            return Refusal("the order of the rows is stated elsewhere")
        if model.ordering:
            return f"next({rows}, None)" if question.conditions else Refusal(_UNKNOWN)
        column = "pk"
    if not _is_sortable(model, column):
        return Refusal(f"rows may have no `{column}`, or one that Python does not sort as the database does")
    least = (question.end == "first") is not question.order.startswith("-")
    return f"{'min' if least else 'max'}({rows}, key=lambda {name}: {name}.{column}, default=None)"


def _target(place: _Place) -> str:
    """Returns the variable of the comprehension that walks over rows that are only filtered: the condition becomes one of its own."""
    question = place.question
    match place.statement.parent(place.whole):
        case cst.CompFor(target=cst.Name(value=name)) if question.conditions and not (question.order or question.end or place.whole.lpar):
            return "" if any(each.value == name for each in place.statement.within(place.whole, cst.Name)) else name
        case _:
            return ""


def _variable(place: _Place) -> str:
    """Returns a name for one of the rows that means nothing else in the function."""
    statement = place.statement
    outermost = [above for above in statement.ancestors(place.whole) if isinstance(above, (cst.FunctionDef, cst.Lambda))][-1:]
    names = (name for scope in outermost for name in statement.within(scope, cst.Name))
    used = {name.value for name in names if not any(isinstance(above, (cst.BaseComp, cst.Lambda)) for above in statement.ancestors(name))}
    used |= {name.value for name in statement.within(place.whole, cst.Name)}
    around = [above for above in statement.ancestors(place.whole) if isinstance(above, cst.BaseComp)]
    used |= {name.value for above in around for clause in statement.within(above, cst.CompFor) for name in statement.within(clause.target, cst.Name)}
    wanted = (place.model.name.lower(), f"one_{place.model.name.lower()}", "each", "other")
    return next((name for name in wanted if name not in used and name.isidentifier()), f"its_{place.model.name.lower()}")


def _is_plain_value(model: Model, name: str) -> bool:
    """Whether an attribute of a row is what `values_list()` gives for its name: a plain column, or the key that a relation has."""
    if any(relation.attname == name for relation in model.relations.values()):
        return True
    return name not in model.relations and is_simple(model, name)


def _is_sortable(model: Model, name: str) -> bool:
    column = model.columns.get(model.primary_key if name == "pk" else name)
    if column is None:
        return model.is_primary_key(name) and model.primary_key not in model.relations
    return not column.nullable and column.type != "UUIDField" and name not in model.relations and is_simple(model, name)


# ----------------------------------------------------------------------------------------------------------- the risks
def _risks(place: _Place, event: Event, custom: bool) -> Iterator[str]:
    """Yields why the answer may be another one."""
    question, model, query = place.question, place.model, event.query
    if question.conditions:
        yield _COMPARES
    if question.order or (question.end in _ENDS and not model.ordering):
        yield _SORTS
    elif question.end in (*_LISTED, *_ENDS) and not _is_in_order(place, query):
        yield _ORDER
    if custom:
        yield _CUSTOM
    elif not model.has_plain_manager or not model.plain_rows:
        yield _MANAGER
    if _may_be_written(place, event):
        yield _WRITTEN


def _is_in_order(place: _Place, query: QueryObject | None) -> bool:
    return (query is not None and is_ordered(query, place.model)) or is_asked_anyhow(place.statement, place.whole, place.file.text)


def _may_be_written(place: _Place, event: Event) -> bool:
    """Whether something may write between loading the rows and asking for them: anything but a loop that walks the query and runs nothing."""
    assert event.row is not None
    statement, root, query = place.statement, place.chain.root, event.row.query
    links = place.chain.links[: place.chain.links.index(place.collection)]
    if query.steps or query.site.path != place.file.path or not isinstance(root, cst.Name) or not all(link.is_attribute for link in links):
        return True
    loop = loop_of(statement, place.whole, root.value)
    if loop is None:
        return True
    start, end = statement.outer(loop.rows)
    if not start <= query.site.start < query.site.end <= end or next(statement.within(loop.rows, cst.NamedExpr), None) is not None:
        return True
    model = query.model
    known = [relation for relation in (model.relations.values() if model is not None else ()) if not relation.to_one]
    plain = {each.name for each in known if each.target is not None and each.target.has_plain_manager and each.target.plain_rows}
    parts = [loop.whole.body] if isinstance(loop.whole, cst.For) else [loop.whole]
    read = {each.attr.value for part in parts for each in statement.within(part, cst.Attribute)}
    if any(not (read & each.attributes).issubset({*each.concrete, *each.relations}) for each in (place.model, *((model,) if model else ()))):
        return True  # a property may do anything
    return not is_quiet_loop(statement, loop, root.value, plain, place.file.text)
