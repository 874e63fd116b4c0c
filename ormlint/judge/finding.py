"""What a rule says (`Report`), what it wants changed (`Intent`), and what the user gets (`Finding`)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from ormlint.link.schema import Column, Model, Relation
from ormlint.run.log import AdminList, Event, Loop, Match, QueryObject
from ormlint.text import Edit, Site


class Severity(str, enum.Enum):
    """How much a finding costs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(str, enum.Enum):
    """Who may apply a fix: `--fix`, `--fix --unsafe-fixes`, or only a person."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


class Mark(str, enum.Enum):
    """What a label points at."""

    QUERY = "query"
    LOOP = "loop"
    ACCESS = "access"
    CALL = "call"
    DECLARATION = "declaration"


@dataclass(frozen=True, slots=True)
class Label:
    """A place that explains a finding, in the order query, loop, calls, access."""

    site: Site
    mark: Mark
    text: str


# ------------------------------------------------------------------------------------------------------- intents
@dataclass(frozen=True, slots=True)
class EagerLoad:
    """Load a chain of relations along with the rows of a query, which is changed at `home`.

    `risk` tells what the program does that may outdate what is loaded, `reads` are the statements that it spares.
    """

    query: QueryObject
    path: tuple[Relation, ...]
    home: Site
    risk: str = ""
    reads: tuple[Event, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ListSelectRelated:
    """Join a chain of relations in the list of an admin, by its `list_select_related`."""

    page: AdminList
    path: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class ReplaceLen:
    """`len(query)` → `query.count()`. `site` is the whole call."""

    query: QueryObject
    site: Site


@dataclass(frozen=True, slots=True)
class ReplaceCountTest:
    """`query.count() > 0` → `query.exists()`.

    `count` is the site of the count call, `test` that of the comparison or truth test, which is replaced; `negated` tells that
    the test asks for emptiness and gets a `not`.
    """

    query: QueryObject
    count: Site
    test: Site
    negated: bool


@dataclass(frozen=True, slots=True)
class ReplaceTruthTest:
    """`if query:` → `if query.exists():`. `site` is the expression tested."""

    query: QueryObject
    site: Site


@dataclass(frozen=True, slots=True)
class ReplaceMembershipTest:
    """`row in query` → `query.contains(row)`. `site` is the whole comparison, `sought` what is looked for."""

    query: QueryObject
    site: Site
    sought: Match | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class KeepAnswer:
    """Keep the answer of the statement `first` in a variable, which takes the place of the statement `again` of the same function."""

    first: Event = field(compare=False)
    again: Event = field(compare=False)


@dataclass(frozen=True, slots=True)
class AskBefore:
    """Send before `loops`, outermost first, what is asked unchanged in each of their rounds."""

    event: Event = field(compare=False)
    loops: tuple[Loop, ...]


@dataclass(frozen=True, slots=True)
class LoadColumn:
    """Load a column with a query that leaves it out by `only()` or `defer()`; of rows at the end of `path`, which are read at `site`."""

    query: QueryObject
    path: tuple[str, ...]
    column: str
    site: Site


@dataclass(frozen=True, slots=True)
class PickFromPrefetched:
    """`row.books.filter(pages=3)` → `[book for book in row.books.all() if book.pages == 3]`, where the books were prefetched."""

    event: Event = field(compare=False)


@dataclass(frozen=True, slots=True)
class DropLoad:
    """Load a relation no more that nothing reads: `site` asks for it, under its `name`, in all of the queries."""

    site: Site
    name: str
    queries: tuple[QueryObject, ...]


@dataclass(frozen=True, slots=True)
class CountRows:
    """`query.count()` → `len(query)`. `site` is the whole call, `load` the statement that loads all rows later."""

    query: QueryObject
    site: Site
    load: Event = field(compare=False)


@dataclass(frozen=True, slots=True)
class WalkQuery:
    """`for row in list(query):` → `for row in query:`. `site` is the call of `list` or `tuple`."""

    query: QueryObject
    site: Site


@dataclass(frozen=True, slots=True)
class LoadFirst:
    """Load rows before they are tested, and test what was loaded.

    `asked` is the call that asks whether there are rows of `query`, `test` the test of its answer, `load` the statement that loads them.
    """

    query: QueryObject
    asked: Site
    test: Site
    load: Event = field(compare=False)


@dataclass(frozen=True, slots=True)
class AggregateInDatabase:
    """`sum(row.f for row in query)` → an aggregate query. `site` is the call of `function` (sum, min, max, len)."""

    query: QueryObject
    site: Site
    function: str
    column: Column


@dataclass(frozen=True, slots=True)
class AnnotateFigure:
    """Compute along with the rows of a query, which is changed at `home`, what `reads` ask of the collection `relation` of each: count, exists.

    A read is the whole expression, with the loop over the rows. `alone` tells that the query joins no other rows that a join more would multiply.
    """

    query: QueryObject
    home: Site
    relation: Relation
    method: str
    reads: tuple[tuple[Site, Loop], ...] = field(compare=False)
    alone: bool = False


@dataclass(frozen=True, slots=True)
class PrefetchChosen:
    """Prefetch some rows of the collection `relation` into a list of each row of a query, which is changed at `home`.

    `chosen` is the query per row, `author.books.filter(…)`, and `risk` tells who gets rows for nothing.
    """

    query: QueryObject
    home: Site
    relation: Relation
    chosen: QueryObject
    risk: str = ""


@dataclass(frozen=True, slots=True)
class MoveAfterLoop:
    """Move a statement (a commit, a flush) from the end of a loop's body to behind the loop. `site` is the call."""

    site: Site
    loop: Loop
    what: str = "commit"


@dataclass(frozen=True, slots=True)
class BlockAroundLoop:
    """Put a loop into the block that each of its rounds begins by the call at `site`; `nested` tells that another block is around the loop."""

    site: Site
    loop: Loop
    nested: bool


@dataclass(frozen=True, slots=True)
class FilterInDatabase:
    """`for row in query: if row.pages > 3: …` → `for row in query.filter(pages__gt=3): …`. `site` is what the loop walks."""

    query: QueryObject
    site: Site


@dataclass(frozen=True, slots=True)
class RefreshRow:
    """Refresh behind the commit at `commit` the row that it expires, of which `site` reads a column; or let `factory` make others."""

    commit: Site
    site: Site
    factory: Site | None = None


@dataclass(frozen=True, slots=True)
class WalkParts:
    """Have the rows of a query fetched in parts, as the loop comes to them. `site` is what the loop walks.

    `chunk` is the argument that tells the size of a part; `prefetches` whether relations of `prefetch_related()` are loaded with each.
    """

    query: QueryObject
    site: Site
    chunk: str
    prefetches: bool


@dataclass(frozen=True, slots=True)
class WriteTogether:
    """Write with one statement what the call at `site` writes in every round of a loop.

    `method` is what is done to the rows of `model`: save, update, create, insert, delete, add or remove, or link, an add
    to another row in every round; `fields` are those that have changed.
    `plain` tells that the loop walks all rows of a query that can be updated or deleted as a whole. `event` is the call.
    """

    site: Site
    loop: Loop
    model: Model
    method: str
    fields: tuple[str, ...] = ()
    plain: bool = False
    event: Event | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FetchBefore:
    """Fetch before a loop over rows of `walked`, for all of them, what the expression at `site` asks `model` for in every round."""

    site: Site
    loop: Loop
    model: Model
    walked: Model


@dataclass(frozen=True, slots=True)
class SetOtherSide:
    """`parent.children.append(Child(…))` → `session.add(Child(…, parent=parent))`.

    `site` is the collection, `asked` the query that gave the row which has it.
    """

    site: Site
    relation: Relation
    asked: Site


@dataclass(frozen=True, slots=True)
class AddKeyword:
    """Give the call at `site` (or the one that a statement there assigns) a keyword argument: `index=True`.

    `reason` tells why that is not safe, or what it leaves to do ("" if it is safe).
    """

    site: Site
    keyword: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class AddAttribute:
    """Give the class at `site` an attribute: `max_page_size = 100`, or as much as the number is that its attribute `least` has.

    `reason` tells why that is not safe.
    """

    site: Site
    name: str
    value: int
    least: str
    reason: str


@dataclass(frozen=True, slots=True)
class AwaitStatement:
    """Await what an async function does at `site`: the call of `method`, which has an asynchronous twin, or a walk over the rows of a query ("").

    `rest` are the statements of that function which wait as well, None for one that cannot be awaited.
    """

    site: Site
    method: str
    query: QueryObject | None = field(default=None, compare=False)
    rest: tuple[AwaitStatement | None, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class RunInThread:
    """Make a plain function of the async endpoint in which the place `site` stands, so that its framework runs it in a thread."""

    site: Site


@dataclass(frozen=True, slots=True)
class AddIndex:
    """Declare an index that begins with a column of a model. `reason` tells what that leaves to do."""

    model: Model
    column: Column
    reason: str


@dataclass(frozen=True, slots=True)
class RemoveDeclaration:
    """Take away what stands at `site` in a list of a model, or those of the arguments `keywords` that the call there is given as True.

    `reason` tells what that leaves to do, "" if nothing.
    """

    site: Site
    keywords: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class OrderRows:
    """Have a query give its rows in the order of their key."""

    query: QueryObject
    key: str


@dataclass(frozen=True, slots=True)
class ReplaceLoader:
    """`joinedload(…)` → `selectinload(…)` and the like, at each of `sites`, which are calls of loaders; `by` is the new one.

    `reason` tells why that is not safe; without one it is as safe as can be proven of `query`, which joins the collections `joined`, if that is
    given. `replaced` is the relation that is no longer joined.
    """

    sites: tuple[Site, ...]
    by: str
    reason: str = ""
    query: QueryObject | None = field(default=None, compare=False)
    joined: tuple[Relation, ...] = field(default=(), compare=False)
    replaced: Relation | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AppendMethod:
    """`expression` → `expression.unique()`, in the place of `site`. `reason` tells why that is not safe ("" if it is)."""

    site: Site
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TakeFirst:
    """`list(query)[0]` → `list(query[:1])[0]`, in the place where the row is taken. `reason` tells why that is not safe ("" if it is).

    If it is `kept`, the rows are tested too or their first is taken several times: they are to be cut where their variable gets them.
    """

    site: Site
    query: QueryObject
    kept: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AssignQuery:
    """`query.options(…)` → `query = query.options(…)`, where nobody keeps what it returns."""

    site: Site


@dataclass(frozen=True, slots=True)
class SendSubquery:
    """`filter(author__in=list(query))` → `filter(author__in=query)`. `given` is the query that the list is a parameter of."""

    query: QueryObject
    given: Site


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """`[row.id for row in query]` → `list(query.values_list("id", flat=True))`. `site` is what the comprehension walks."""

    query: QueryObject
    site: Site
    column: str


@dataclass(frozen=True, slots=True)
class ReadUnique:
    """Read a result with `.unique()`. `site` is the call of `method` that reads it, or what is walked ("")."""

    query: QueryObject
    site: Site
    method: str


@dataclass(frozen=True, slots=True)
class KeepRows:
    """Keep the rows of a result or an iterator, which are taken again at `site`."""

    query: QueryObject
    site: Site


@dataclass(frozen=True, slots=True)
class ReadKey:
    """`row.relation.id` → `row.relation_id`. `sites` are the whole expressions, each with its `row.relation`; the two are one where only
    its presence is asked for, as in `if row.relation:`.

    `present` tells that the query gives only rows that have the relation, `risk` why the row may be one whose key is not what the relation
    says, "" if it cannot.
    """

    sites: tuple[tuple[Site, Site], ...]
    relation: Relation
    present: bool = False
    risk: str = ""


Intent = (
    AddAttribute
    | AddIndex
    | AddKeyword
    | AggregateInDatabase
    | AnnotateFigure
    | AppendMethod
    | AssignQuery
    | AwaitStatement
    | AskBefore
    | BlockAroundLoop
    | CountRows
    | DropLoad
    | EagerLoad
    | FetchBefore
    | FilterInDatabase
    | KeepAnswer
    | KeepRows
    | ListSelectRelated
    | LoadColumn
    | LoadFirst
    | MoveAfterLoop
    | OrderRows
    | PickFromPrefetched
    | PrefetchChosen
    | ReadColumn
    | ReadKey
    | ReadUnique
    | RefreshRow
    | RemoveDeclaration
    | ReplaceCountTest
    | ReplaceLen
    | ReplaceLoader
    | ReplaceMembershipTest
    | ReplaceTruthTest
    | RunInThread
    | WalkParts
    | WalkQuery
    | SendSubquery
    | SetOtherSide
    | TakeFirst
    | WriteTogether
)


# ------------------------------------------------------------------------------------------------------- reports
@dataclass(frozen=True, slots=True)
class Report:
    """What a rule says about one cause.

    `cause` identifies it: reports of one rule with equal causes become one finding, the rest is counted in a note.
    `relations` are the lookup paths concerned (`author__country`). `severity` overrides the rule's. A `preview` report is less
    certain than its rule and becomes a finding only with --preview. `counted_as` names what else the same call leads to
    ("query"), if reports with one cause differ in that; the finding then tells how many more there are. Of the reports with one
    cause that of the lowest `rank` speaks, where the order of the lines says nothing. `others` are further queries whose rows are
    treated alike.
    """

    site: Site
    message: str
    help: str
    cause: tuple[object, ...]
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    intent: Intent | None = None
    severity: Severity | None = None
    preview: bool = False
    counted_as: str = ""
    rank: int = 0
    others: tuple[Site, ...] = ()


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that carry out an intent. `reason` tells why it is not safe ("" if it is)."""

    applicability: Applicability
    description: str
    edits: tuple[Edit, ...]
    reason: str = ""


@dataclass(slots=True)
class Finding:
    """One line of the report."""

    code: str
    name: str
    family: str
    severity: Severity
    site: Site
    message: str
    help: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    intent: Intent | None = None
    fix: Fix | None = None
    fingerprint: str = ""
    elsewhere: tuple[Site, ...] = ()  # further places with the same cause
    others: tuple[Site, ...] = ()  # further queries whose rows are treated alike

    @property
    def places(self) -> list[Site]:
        """All places the finding points at, its own first; a suppression comment at any of them counts."""
        return [self.site, *(label.site for label in self.labels)]
