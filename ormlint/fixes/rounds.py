"""Whether what an eager load fetches with a statement of its own is read on every way, so that the statement is never one too many.

for book in books:                       every round reads them
    print(book.tags.all())

for book in books:                       no round may: then a prefetch is a statement that nobody needs
    if book.is_tagged:
        print(book.tags.all())

That is told by the text alone: a read counts if no branch, loop, early exit or call that need not happen stands between it and the loop
over the rows, and none between that loop and the place where the rows are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from ormlint.fixes.source import Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.finding import EagerLoad
from ormlint.link.schema import Orm
from ormlint.run.log import Event, Loop, QueryObject, Use, UseKind
from ormlint.text import Site

SOME_ROUNDS = "only some rounds read what would be loaded for all rows"
SOME_WAYS_OF_ONE = "of one row, not every way on from there may read what a query of its own would load with it"
SOME_WAYS = "the rows are loaded in another place, from which not every way leads to the loop that reads them"
_BLOCKS = (cst.IndentedBlock, cst.SimpleStatementSuite, cst.SimpleStatementLine, cst.Module)
_DROPPING = re.compile(r"\bfields\.pop\(|\bdel self\.fields\[|\bdef get_field(?:s|_names)\(")
_LISTS = ("list", "tuple")
_ABOVE_NOTHING: dict[type[cst.CSTNode], bool] = {cst.GreaterThan: True, cst.NotEqual: True, cst.Equal: False, cst.LessThanEqual: False}


def risk_of_needlessness(sources: Sources, intent: EagerLoad) -> str:
    """Returns why nobody may read what is loaded for all rows, "" if somebody is sure to."""
    risks = [_risk(sources, intent, event) for event in intent.reads]
    return next((risk for risk in risks if risk), "") if all(risks) else ""


def is_read_of_one_row(sources: Sources, intent: EagerLoad) -> bool:
    """Whether the function that fetches a row goes on, on every way, to read of it what would be loaded along; without a row nothing is loaded.

    # `doctor = await session.get(Doctor, key)`, `if doctor is None: return None`, `return doctor.visits`
    """
    return any(event.relation is intent.path[-1] and _is_read_behind(sources, intent.query, event) for event in intent.reads)


def _is_read_behind(sources: Sources, query: QueryObject, event: Event) -> bool:
    statement, place = sources.statement(event.site), query.site
    node = statement.expression(event.site.start, event.site.end) if statement is not None else None
    fetched = statement.expression(place.start, place.end) if statement is not None and statement is sources.statement(place) else None
    if event.calls or statement is None or node is None or fetched is None or query.ways:
        return False
    function = statement.function(fetched)
    if function is None or statement.function(node) is not function or statement.span(fetched)[1] > statement.span(node)[0]:
        return False
    match node:
        case cst.Attribute(value=cst.Name(value=row)):
            return is_always_reached(statement, node, function, row)
        case _:
            return False


def _risk(sources: Sources, intent: EagerLoad, event: Event) -> str:
    walked = next((loop for loop in event.loops if loop.source is not None and loop.source.site == intent.query.site), None)
    places = [*event.calls, event.site]
    if walked is None:
        return SOME_ROUNDS
    first = next((number for number, place in enumerate(places) if _is_in_body(walked, place)), None)
    along = {relation.name for relation in intent.path}
    inner = [loop for loop in event.loops if loop.source is not None and loop.source.relation is not None and loop.source.relation.name in along]
    for number, place in enumerate(places[first or 0 :], first or 0):
        if not _is_always_reached(sources, event, place, walked if number == first else None, inner):
            return SOME_ROUNDS
    query = event.query
    if query is not None and (query.ways or not _is_built_always(sources, event, query.site, walked, inner)):
        return SOME_ROUNDS
    return _risk_of_keeping(sources, intent, walked)


def _is_in_body(loop: Loop, place: Site) -> bool:
    return loop.kind in ("for", "comprehension") and (loop.body.encloses(place) or loop.site.encloses(place))


def _risk_of_keeping(sources: Sources, intent: EagerLoad, walked: Loop) -> str:
    """Returns why the rows may be loaded without being walked by the loop, "" if it loads them itself or always follows."""
    loads = [use.site for use in intent.query.uses if _loads(intent.query.orm, use) and not use.site.encloses(walked.site)]
    loads = [site for site in loads if not walked.site.encloses(site)]
    if not loads or not walked.site.path.endswith(".py"):
        return ""
    statement, other = sources.statement(walked.site), sources.statement(loads[0])
    if statement is None or statement is not other:
        return SOME_WAYS
    loop, load = _loop_at(statement, walked), statement.expression(loads[0].start, loads[0].end)
    if loop is None or load is None:
        return SOME_WAYS
    top = statement.function(load)
    if statement.function(loop) is not top:
        return SOME_WAYS
    # behind the loop there may be rows where `if books.exists():` has found none
    rows = _name_of(loop) if statement.span(load)[0] < statement.span(loop.iter)[0] else ""
    return "" if is_always_reached(statement, loop.iter, top, rows) else SOME_WAYS


def _loads(orm: Orm, use: Use) -> bool:
    lists = _LISTS if orm is Orm.DJANGO else (*_LISTS, "all", "fetchall")
    if orm is Orm.DJANGO and use.kind in (UseKind.TRUTH, UseKind.LEN) and not use.operator:
        return True  # `if books:` evaluates the QuerySet
    return use.kind in (UseKind.ITERATE, UseKind.INDEX) or (use.kind is UseKind.DERIVE and use.operator in lists)


def _is_built_always(sources: Sources, event: Event, built: Site, walked: Loop, inner: list[Loop]) -> bool:
    """Whether the collection that is walked in a round is made in every round, if it is made in the loop before it is walked."""
    return event.site.encloses(built) or not _is_in_body(walked, built) or _is_always_reached(sources, event, built, walked, inner)


def _is_always_reached(sources: Sources, event: Event, place: Site, loop: Loop | None, inner: list[Loop]) -> bool:
    """Whether a place is reached in every round of a loop, or call of the function around it if that is not given."""
    if not place.path.endswith(".py"):
        return not event.around.conditional
    statement = sources.statement(place)
    node = statement.expression(place.start, place.end) if statement is not None else None
    if statement is None or node is None:
        return False
    file = sources.file(place)
    if statement.function(node) is None and file is not None and _DROPPING.search(file.text):
        return False  # a field of a serializer, which may drop it
    top: cst.CSTNode | None = _loop_at(statement, loop) if loop is not None else statement.function(node)
    if loop is not None and top is None:
        return False
    name = _name_of(top)
    return is_always_reached(statement, node, top, name, [found for each in inner if (found := _loop_at(statement, each)) is not None])


def _loop_at(statement: Statement, loop: Loop) -> cst.For | cst.CompFor | None:
    """Returns the loop of the text that a loop of the log is: the one whose rows end where its head ends."""
    kinds: tuple[type[cst.For], type[cst.CompFor]] = (cst.For, cst.CompFor)
    for kind in kinds:
        for node in statement.within(statement.module, kind):
            if loop.site.end in (statement.span(node.iter)[1], statement.outer(node.iter)[1]):
                return node
    return None


def _name_of(loop: cst.CSTNode | None) -> str:
    """Returns the variable whose rows a loop walks, "" if it is no variable."""
    match loop:
        case cst.For(iter=cst.Name(value=name)) | cst.CompFor(iter=cst.Name(value=name)):
            return name
        case _:
            return ""


def is_always_reached(statement: Statement, node: cst.CSTNode, top: cst.CSTNode | None, rows: str = "", inner: Sequence[cst.CSTNode] = ()) -> bool:
    """Whether an expression is evaluated in every round of a loop, or every call of a function, that it stands in.

    `top` is the loop or function, None for the module. Tests of the variable `rows` are no obstacle, as nothing is loaded with no rows, nor
    are the loops `inner`, which walk rows that are loaded along.
    """
    below = node
    for above in statement.ancestors(node):
        if isinstance(above, _BLOCKS):
            earlier = list(_before(above, below))
            if any(_may_leave(statement, each, rows) for each in earlier) or (
                earlier and isinstance(statement.parent(above), (cst.Try, cst.TryStar))
            ):
                return False
        elif isinstance(above, cst.BaseComp):
            clauses = list(_clauses(above))
            if not _is_reached_in(statement, clauses, node, top, inner):
                return False
            if any(clause is top for clause in clauses):
                return True
        elif above is not top and not isinstance(above, cst.CompFor) and not _passes_always(above, below, rows, inner):
            return False
        if above is top and not isinstance(above, cst.CompFor):
            return True
        below = above
    return top is None


def _is_reached_in(
    statement: Statement, clauses: list[cst.CompFor], node: cst.CSTNode, top: cst.CSTNode | None, inner: Sequence[cst.CSTNode]
) -> bool:
    """Whether a part of a comprehension is evaluated in every round of its clause `top`, or at all if that is no clause of it."""
    walking = top not in clauses
    for clause in clauses:
        if walking:
            if _stands_in(statement, node, clause.iter):
                return True
            if clause is not top and not any(clause is each for each in inner):
                return False
        walking = walking or clause is top
        if walking and clause.ifs:
            return _stands_in(statement, node, clause.ifs[0])
    return True


def _stands_in(statement: Statement, node: cst.CSTNode, part: cst.CSTNode) -> bool:
    start, end = statement.span(part)
    first, last = statement.span(node)
    return start <= first and last <= end


def _clauses(node: cst.BaseComp) -> Iterator[cst.CompFor]:
    clause: cst.CompFor | None = node.for_in
    while clause is not None:
        yield clause
        clause = clause.inner_for_in


def _passes_always(above: cst.CSTNode, below: cst.CSTNode, rows: str, inner: Sequence[cst.CSTNode]) -> bool:
    """Whether what is evaluated as `above` evaluates its part `below` on every way."""
    match above:
        case cst.If(test=test, orelse=rest) | cst.IfExp(test=test, orelse=rest):
            return below is test or _tells_of_rows(test, rows) is (below is not rest)
        case cst.BooleanOperation(left=left, operator=operator):
            return below is left or _tells_of_rows(left, rows) is isinstance(operator, cst.And)
        case cst.For(iter=walked):
            return below is walked or any(above is each for each in inner)
        case cst.While(test=test):
            return below is test
        case cst.Try(body=body) | cst.TryStar(body=body):
            return below is body
        case cst.ExceptHandler() | cst.ExceptStarHandler() | cst.MatchCase() | cst.Else() | cst.Lambda() | cst.FunctionDef():
            return False
        case _:
            return True


def _tells_of_rows(test: cst.BaseExpression, rows: str) -> bool | None:
    """Returns whether a test holds if there are rows, or a row, and only then (True), or only if there are none (False); None for any other test.

    # `if books:`, `if len(books) > 0:`, `if not books.exists():`, `if book is None:`
    """
    match test:
        case cst.Name(value=name):
            return True if name == rows and rows else None
        case cst.UnaryOperation(operator=cst.Not(), expression=tested):
            told = _tells_of_rows(tested, rows)
            return None if told is None else not told
        case cst.Call(func=cst.Name(value="len" | "bool" | "list"), args=[cst.Arg(value=cst.Name(value=name))]):
            return True if name == rows and rows else None
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="exists" | "count")), args=[]):
            return True if name == rows and rows else None
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Integer(value="0"))]):
            told = _tells_of_rows(left, rows) if not isinstance(left, (cst.Name, cst.UnaryOperation)) else None
            return None if told is None else _ABOVE_NOTHING.get(type(operator))
        case cst.Comparison(left=cst.Name(value=name), comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Name(value="None"))]):
            return (isinstance(operator, cst.IsNot) if isinstance(operator, (cst.Is, cst.IsNot)) else None) if name == rows and rows else None
        case _:
            return None


def _before(block: cst.CSTNode, below: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yields the statements of a block that stand before one of them."""
    for statement in getattr(block, "body", ()):
        if statement is below:
            return
        yield statement


def _may_leave(statement: Statement, node: cst.CSTNode, rows: str, depth: int = 0) -> bool:
    """Whether a statement may end the round or the function that it stands in; errors do not count."""
    match node:
        case cst.Return():
            return True
        case cst.Continue() | cst.Break():
            return depth == 0
        case cst.FunctionDef() | cst.ClassDef() | cst.Lambda() | cst.BaseExpression():
            return False
        case cst.If(test=test, body=body, orelse=rest) if (told := _tells_of_rows(test, rows)) is not None:
            part = body if told else rest  # what is done if there are rows
            return part is not None and _may_leave(statement, part, rows, depth)
        case cst.For() | cst.While():
            depth += 1
    return any(_may_leave(statement, child, rows, depth) for child in node.children)
