"""Which loops make an event cost more with more data, how much that weighs, and what became of a value.

loops of an event   for author in authors:        counts
                    for chunk in batches:         one query per batch is the point
                    for lang in ("en", "de"):     few: counts only together with others
weight              WARNING with the data, INFO when bounded by a small constant, a small table, a rare way
"""

from __future__ import annotations

from collections.abc import Iterable

from ormlint.judge.finding import Severity
from ormlint.judge.listing import gives_one
from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.link.schema import Orm
from ormlint.run.log import CHANGED, READS, Bound, Event, Loop, Op, QueryLog, QueryObject, Tracked, Use, UseKind
from ormlint.text import Site

NEGLIGIBLE = 3  # repetitions nobody needs to hear of
_LARGE = 1_000_000
_STARTING = frozenset(
    {"start", "startup", "setup", "install", "init", "initialize", "initialise", "initialized", "bootstrap", "configure", "migrate", "seed"}
)
_FILLING = frozenset({"bootstrap", "demo", "fixture", "fixtures", "init", "install", "migrate", "populate", "seed"})


def repeaters(event: Event) -> tuple[Loop, ...]:
    """Returns the loops that repeat an event, outermost first; none when they run it at most three times.

    Loops over batches and pages, loops that wait between rounds and loops that leave in the first round repeat nothing:
    a query per batch, message or attempt is what they are there for. A query per tenant is what a loop is there for that enters the scope
    or the schema of each: one for all of them finds no rows, or fails (measured with django-scopes). A join is none.
    """
    known = event.counted
    if known is None or known[0] is not event.loops:
        asks = event.op in READS or event.op is Op.LAZY_COLLECTION
        loops = (loop for loop in event.loops if not (loop.first_only or loop.batches or loop.polls or (loop.confines and asks)))
        known = event.counted = event.loops, worth_counting(loop for loop in loops if not _walks_one_row(loop))
    return known[1]


def _walks_one_row(loop: Loop) -> bool:
    """Whether a loop walks the row of a key: `for book in Book.objects.filter(pk=key)`."""
    return loop.source is not None and loop.source.orm is Orm.DJANGO and gives_one(loop.source)


def worth_counting(loops: Iterable[Loop]) -> tuple[Loop, ...]:
    """Returns the loops unchanged if together they run more than three times, else none."""
    counted = tuple(loops)
    rounds = 1
    for loop in counted:
        rounds *= _rounds(loop)
    return counted if rounds > NEGLIGIBLE else ()


def _rounds(loop: Loop) -> int:
    if loop.bound >= Bound.PAGE:
        return _LARGE
    return loop.limit or 1 if loop.bound is Bound.FEW else 1


def innermost(loops: tuple[Loop, ...]) -> Loop:
    """Returns the loop to show: the innermost that grows with the data, else the innermost.

    Raises IndexError if there is none.
    """
    growing = [loop for loop in loops if loop.bound >= Bound.PAGE]
    return (growing or loops)[-1]


def grows(loops: Iterable[Loop]) -> bool:
    """Whether one of the loops has more rounds with more data: `for name in ("a", "b", "c", "d", "e")` has not."""
    return any(loop.bound >= Bound.PAGE for loop in loops)


def weight(project: Project, event: Event, loops: tuple[Loop, ...]) -> Severity:
    """Returns how much a repeated event costs: INFO where the number of rounds or of occasions is small."""
    growing = [loop for loop in loops if loop.bound >= Bound.PAGE and not _walks_small_table(project, loop)]
    if not growing or event.around.error_path or _in_management_command(event):
        return Severity.INFO
    return Severity.WARNING


def heaviest(project: Project, events: Iterable[Event]) -> Severity:
    """Returns the weight of several repeated events with one cause."""
    weights = {weight(project, event, repeaters(event)) for event in events}
    return Severity.WARNING if Severity.WARNING in weights else Severity.INFO


def _walks_small_table(project: Project, loop: Loop) -> bool:
    return loop.source is not None and project.is_small(loop.source.model)


def _in_management_command(event: Event) -> bool:
    return "/management/commands/" in f"/{event.site.path}"


def starts_the_program(event: Event) -> bool:
    """Whether an event stands where a program is set up or started, by the words in the name of its function or file: `init_db`."""
    name = event.site.path.rpartition("/")[2].partition(".")[0]
    return not {*name.lower().split("_"), *_words(event)}.isdisjoint(_STARTING)


def is_done_once(event: Event) -> bool:
    """Whether an event stands in a management command, which mostly repairs, imports or invents rows, or where tables are first filled."""
    return _in_management_command(event) or not _words(event).isdisjoint(_FILLING)


def _words(event: Event) -> frozenset[str]:
    """Returns the words in the name of the function that an event stands in; `__init__` has none."""
    name = event.function.rpartition(".")[2].rpartition(":")[2].lower()
    return frozenset(() if name.startswith("__") else name.split("_"))


@once
def asked_per_round(log: QueryLog) -> set[Site]:
    """Returns where queries are built whose rows are fetched anew, with other parameters, in every round of a loop.

    How the rows are used does not matter before that is cured: prefetched, `len(author.books.all())` is free.
    """
    found = set()
    for event in log.of(Op.LOAD_ROWS, Op.LAZY_COLLECTION):
        if event.query is None:
            continue
        loops = {loop.id for loop in repeaters(event)}
        related = event.relation is not None and event.row is not None
        if loops and (related or loops & (event.depends | event.query.parameters)):
            found.add(event.query.site)
    return found


@once
def prefetched_by_some(log: QueryLog) -> set[Site]:
    """Returns where collections are read whose rows some caller has fetched in advance, though others may not.

    # `len(author.books.all())` costs nothing for prefetched authors, `author.books.count()` one statement for each
    """
    return {query.site for query in log.queries if query.relation is not None and query.cached and query.style != "list"}


def only_uses(value: Tracked, *kinds: UseKind) -> list[Use]:
    """Returns the uses of a value if in its whole life there are none but of these kinds, else an empty list.

    Deriving another query object from a query leaves its rows alone and does not count, but a slice is cut from rows at hand.
    """
    # `len(qs)` and then `qs[0:100]`, `qs[100:200]` … are one statement, with `qs.count()` each slice is one more
    uses = [use for use in value.all_uses() if use.kind is not UseKind.DERIVE or use.operator == "[:]"]
    return uses if all(use.kind in kinds for use in uses) else []


def costs_nothing(query: QueryObject) -> bool:
    """Whether the rows are at hand for another reason, so that using them runs no statement; a manager itself asks for none.

    The list made of a query (`list(qs)`, `query.all()`) is at hand too, but was fetched for the sake of its uses. What a search that is
    not understood makes of a queryset may be a page of rows already.
    """
    if query.orm is Orm.DJANGO and query.has(CHANGED):
        return True
    return query.style == "manager" or (query.cached and (query.style != "list" or query.relation is not None))


def decides_to_go_on(event: Event, loop: Loop) -> bool:
    """Whether the answer decides if the loop goes on.

    # `while Book.objects.filter(slug=slug).exists(): slug = …` asks as often as it must
    # `for name in names: if not User.objects.filter(name=name).exists(): return name` may stop in the first round
    """
    if loop.kind == "while" and loop.site.encloses(event.site):
        return True
    if not loop.searches:
        return False
    asked = event.query if event.row is None or event.query is not event.row.query else None  # not the rows that a relation is read of
    uses = [*event.all_uses(), *(asked.all_uses() if asked is not None else ())]
    return any(use.kind in (UseKind.TRUTH, UseKind.COMPARE) for use in uses)


def is_search(event: Event, loop: Loop) -> bool:
    """Whether what an event gives may be what a loop looks for, which then ends.

    # `for name in names: book = find(name)`, and `if book is not None: return book`
    """
    return any(site.encloses(place) for site in loop.decisive for place in (event.site, *event.calls))


def is_deliberate(query: QueryObject) -> bool:
    """Whether a query is evaluated for a purpose that another statement would not serve: row locks, raw SQL."""
    return query.locked or query.raw or query.has("explain")
