"""What limits the number of rows of a query that has no LIMIT: its shape, its filters, the row it belongs to."""

from __future__ import annotations

import re

from ormlint.judge.once import once
from ormlint.judge.project import Project
from ormlint.link.schema import Index, Kind, Model, Orm, Relation
from ormlint.run.log import Bound, Event, Op, QueryLog, QueryObject, Shape

KINDS = frozenset({"ContentType"})  # models whose one row stands for a whole table
FEW_BY_NAME = frozenset({
    "config", "configuration", "settings", "setting", "option", "options", "type", "kind", "status", "state", "category", "role", "level", "language",
    "country", "currency", "site", "server", "backend", "provider", "instance", "plugin", "worker", "queue", "preferences", "schedule", "policy",
    "realm", "gateway", "region", "webhook", "service",
})  # fmt: skip
"""Last words in the names of models that list what there is few of."""
SETTINGS = frozenset({"config", "configuration", "settings", "setting", "preferences"})
"""Last words in the names of models of which there may be one row."""

_SUFFIXES = frozenset({"model", "schema", "table", "entity", "record", "information", "info"})
_FEW_VALUES = ("Bool", "NullBool", "Enum")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
NAMES = frozenset({
    "name", "title", "slug", "serial", "uuid", "guid", "email", "username", "login", "path", "filename", "url", "uri", "hash", "checksum", "digest",
    "md5", "uid", "sha1", "sha256", "identifier", "fingerprint", "token", "codename",
})  # fmt: skip
"""Last words in the names of columns that mostly tell one row from all others, whether or not the schema says so."""
_ONLY_ROW = frozenset({"one", "one_or_none", "scalar_one", "scalar_one_or_none"})
SPANS = frozenset({"range", "date", "year", "month", "week", "day"})


def is_unlimited(query: QueryObject) -> bool:
    """Whether a query gives as many rows as its table has that match, nobody having listed them one by one."""
    if query.bound is not Bound.MANY or query.shape is Shape.UNKNOWN or query.raw or query.cached or not query.complete:
        return False
    return not gives_groups(query) and not names_its_rows(query)


def is_filtered(query: QueryObject) -> bool:
    """Whether a query selects among the rows of its table."""
    return bool(query.filters) or query.has("filter", "filter_by", "where", "exclude", "join")


def gives_groups(query: QueryObject) -> bool:
    """Whether the rows stand for groups of rows, of which there are fewer: `values("year").annotate(…)`, `group_by()`, distinct values."""
    if query.has("group_by", "dates", "datetimes") or (query.shape is Shape.TUPLES and query.distinct):
        return True
    start = next((position for position, name in enumerate(query.methods) if name in ("values", "values_list")), len(query.methods))
    return "annotate" in query.methods[start:]


def names_its_rows(query: QueryObject) -> bool:
    """Whether the rows are those that somebody lists one by one: `filter(pk__in=keys)`."""
    model = query.model
    if model is None:
        return False
    single = {index.columns[0] for index in model.indexes if index.unique and len(index.columns) == 1}
    for lookup in query.filters:
        name, _, operator = lookup.partition("__")
        unique = name in single or (name in model.columns and model.columns[name].unique)
        if operator == "in" and (unique or model.is_primary_key(name)):
            return True
    return False


def lists_kinds(model: Model) -> bool:
    """Whether a model is called after kinds, settings or services, of which there are few: `TicketType`, `MailSettings`."""
    return is_called(model, FEW_BY_NAME)


def is_called(model: Model, words: frozenset[str]) -> bool:
    """Whether the last word in the name of a model is one of these, not counting that it is a model: `GatewayModel`."""
    found = [word.lower() for word in _WORDS.findall(model.name)]
    while len(found) > 1 and found[-1] in _SUFFIXES:
        found.pop()
    return bool(found) and not words.isdisjoint((found[-1], found[-1].removesuffix("s")))


def asks_for_a_value(query: QueryObject) -> bool:
    """Whether a filter asks for one value of a column that has many, such as a name; a flag or an enumeration has few."""
    for lookup in query.filters:
        model, name = query.model, lookup.rpartition(".")[2]
        column = model.columns.get(name.removesuffix("__exact").removesuffix("__iexact")) if model is not None else None
        if column is not None and not column.type.startswith(_FEW_VALUES):
            return True
    return False


def asks_for_one(query: QueryObject) -> bool:
    """Whether the filters of a query name all columns of a key of the table, so that one row fits at most."""
    return query.model is not None and not query.has("exclude") and _name_a_key(query.model, query.filters)


@once
def tables_of_one_row(project: Project, log: QueryLog) -> frozenset[Model]:
    """Returns the models of which the program somewhere takes the only row that there is: `session.query(Settings).one()`; a test may."""
    events = (event for event in log.of(Op.GET_ROW) if event.method in _ONLY_ROW and asks_for_any(event) and project.is_concerned((event.site,)))
    return frozenset(event.query.model for event in events if event.query is not None and event.query.model is not None)


def asks_for_any(event: Event) -> bool:
    """Whether a statement takes a row of a table without saying which: `Settings.objects.first()`."""
    query = event.query
    if query is None or event.relation is not None or query.relation is not None or query.shape is not Shape.ROWS:
        return False
    return query.complete and not (query.raw or query.combined or query.sliced or is_filtered(query))


def gives_one(query: QueryObject) -> bool:
    """Whether a query gives one row at most: its filters name a key of the table, and nothing multiplies the row.

    To count it, to load it and to ask whether there is one cost the same.
    """
    return asks_for_one(query) and not query.combined and not query.has("join", "outerjoin", "union", "union_all")


def may_ask_for_one(query: QueryObject) -> bool:
    """Whether the filters of a query name all columns of a key together with those that one way or another to it adds."""
    if query.parent in query.ways:  # merged where it stands; a caller that is given it has said what it wants
        ends = [way for way in query.every_way() if not way.ways]
        return all(asks_for_one(way) or is_found_by_name(way) or may_ask_for_one(way) for way in ends)
    added = {lookup[1:] for lookup in query.filters if lookup.startswith("?")}
    if query.model is None or not added or query.has("exclude"):
        return False
    return _name_a_key(query.model, query.filters | added) or any(_is_name(query.model, lookup) for lookup in added)


def _asks_for_one_of_some(query: QueryObject) -> bool:
    """Whether the filters name all columns of a key that holds for some rows, and what the condition of its index names.

    # `Index(…, "shelf_id", unique=True, postgresql_where=text("state = 'lent'"))`, and `where(Book.shelf_id == key, Book.state == "lent")`
    """
    if query.model is None or query.has("exclude"):
        return False
    return any(
        index.unique and index.condition and query.filters.issuperset(index.columns) and _names_condition(query, index)
        for index in query.model.indexes
    )


def _names_condition(query: QueryObject, index: Index) -> bool:
    asked = {lookup.partition("__")[0] for lookup in query.filters}
    return index.condition <= asked or ("?" in index.condition and len(asked) > len(index.columns))


def _asks_for_a_moment(query: QueryObject) -> bool:
    """Whether a query asks for what happened at one moment, mostly together: `Notice.sent == post.modified`."""
    columns = query.model.columns if query.model is not None else {}
    return any(lookup in columns and "DateTime" in columns[lookup].type for lookup in query.filters - query.stated)


def _asks_whether_taken(query: QueryObject) -> bool:
    """Whether a query asks if a value is taken by another row than this one, as those do that keep it unique.

    # `filter(Book.code == value, Book.id != book.id)`; not so for others of a kind: `filter(Book.category == book.category, Book.id != book.id)`
    """
    keys = {"pk", "id", "uuid", *((query.model.primary_key,) if query.model is not None else ())}
    own = {lookup for lookup in query.filters if lookup.lstrip("?").removesuffix("__not") in keys and lookup.endswith("__not")}
    others = query.filters - own
    if not own or len(others) != 1 or not others.isdisjoint(query.stated):
        return False
    return any(_is_name(query.model, lookup) or (query.model is not None and _name_a_key(query.model, others)) for lookup in others)


def _name_a_key(model: Model, lookups: frozenset[str]) -> bool:
    if not lookups:
        return False
    keys = model.keys
    if len(keys[-1]) < 2 and any(model.is_primary_key(name) for name in lookups):
        return True
    return any(key and key <= lookups for key in keys)


def asks_for_most_of_a_key(query: QueryObject) -> bool:
    """Whether the filters of a query name all columns but one of a primary key of three or more: the few that are left differ in that one."""
    key = query.model.keys[-1] if query.model is not None else frozenset()
    return len(key) > 2 and len(key - query.filters) == 1


def is_found_by_name(query: QueryObject) -> bool:
    """Whether a query asks for the rows of one name, of which there is mostly one, `where(Series.name == name)`; not so for `name == ""`."""
    model = query.model
    asked = (lookup.removesuffix("__exact").removesuffix("__iexact") for lookup in query.filters - query.stated)
    return any(_is_name(model, lookup) for lookup in asked)


def gives_few(query: QueryObject) -> bool:
    """Whether a query gives a few rows: of one pair, of one name among those of one row, of a table of kinds or settings.

    Of SQLAlchemy, whose `exists()` is another statement, those of one name, and those in a list, are few as well.
    """
    # `access.permissions.filter(codename="read")`: a name that the program states is mostly that of one row too, among those of one row
    named = query.filters if query.orm is Orm.DJANGO else query.filters - query.stated
    one_of_its_row = query.relation is not None and any(_is_name(query.model, lookup) for lookup in named)
    if asks_for_a_pair(query) or _asks_for_one_of_some(query) or _asks_for_a_moment(query) or _asks_for_a_combination(query) or one_of_its_row:
        return True
    if query.model is not None and lists_kinds(query.model) and not refers_to_others(query.model):
        return True
    # `filter_by(**{field: value})` is how one asks whether a value is taken
    if query.orm is Orm.SQLALCHEMY and "**" in query.filters:
        return True
    if query.orm is not Orm.SQLALCHEMY:
        return False
    return asks_for_one(query) or may_ask_for_one(query) or is_found_by_name(query) or names_its_rows(query) or _asks_whether_taken(query)


def _asks_for_a_combination(query: QueryObject) -> bool:
    """Whether a query names the values of three columns that have many: `filter(system=system, module=module, name=name)`."""
    columns = query.model.columns if query.model is not None else {}
    asked = [columns[lookup] for lookup in query.filters - query.stated if lookup in columns]
    return sum(not (column.references or column.type.startswith(_FEW_VALUES)) for column in asked) > 2


def asks_for_a_pair(query: QueryObject) -> bool:
    """Whether a query names several keys of other rows: the review of a book by a reader, of which there is mostly one.

    # `Review.objects.filter(book=book, reader=reader)`, `book.reviews.filter(reader=reader)`, `select(Review).where(Review.book_id == …, …)`
    """
    return len(keys_named(query)) > 1


def keys_named(query: QueryObject) -> frozenset[str]:
    """Returns the foreign keys of which a query names the one row that they lead to, itself or by a name: `book_id`, for `book__slug=slug` too."""
    model = query.model
    if model is None:
        return frozenset()
    # not every column that has the key of another row says so: `kind` and `object_id`
    keys = [column.name for column in model.columns.values() if column.references or (column.name.endswith("_id") and not column.primary_key)]
    names = {relation.attname: relation.name for relation in model.relations.values() if relation.attname}
    own = query.relation.inverse if query.relation is not None and query.relation.kind is Kind.REVERSE_FOREIGN_KEY else None
    asked = {key for key in keys if not query.filters.isdisjoint((key, names.get(key, key)))}
    asked |= {relation.attname for relation in model.relations.values() if relation.attname and _is_named_by(query, relation)}
    return frozenset(asked | ({own.attname} if own is not None else set()))


def _is_named_by(query: QueryObject, relation: Relation) -> bool:
    """Whether a filter names the row that a relation leads to, by its key or by a name: `book__slug=slug`."""
    target = relation.target
    lookups = (lookup.removeprefix(f"{relation.name}__") for lookup in query.filters if lookup.startswith(f"{relation.name}__"))
    return target is not None and any(target.is_primary_key(name) or _is_name(target, name) for name in lookups)


def refers_to_others(model: Model) -> bool:
    """Whether a table has a foreign key; one that has none mostly lists the few things that others refer to."""
    return any(column.references for column in model.columns.values()) or any(relation.attname for relation in model.relations.values())


def _is_name(model: Model | None, lookup: str) -> bool:
    last = _CAMEL.sub("_", lookup).rpartition("_")[2].lower()
    if model is None:  # of a package that is not at hand
        return lookup.isidentifier() and "__" not in lookup and (last in NAMES | {"key"} or lookup == "id")
    column = model.columns.get(lookup)
    if last not in (NAMES if column is not None else NAMES | {"key"}) or model.relation(lookup) is not None:
        return False
    # a hybrid attribute is no column
    return (column is None and lookup.isidentifier() and "__" not in lookup) or (
        column is not None and not column.references and not column.type.startswith(_FEW_VALUES)
    )


def limit_in_practice(query: QueryObject) -> str:
    """Returns what keeps the rows few though nothing says how few, for a message: one parent row, a span of time; "" if nothing does."""
    parent = query.relation.model.name if query.relation is not None else parent_named(query)
    if parent:
        return f"the number of rows per `{parent}`"
    spans = {lookup.partition("__")[0] for lookup in query.filters if lookup.rpartition("__")[2] in SPANS}
    spans |= _compared(query, "gt") & _compared(query, "lt")
    return f"the span of `{min(spans)}` that is asked for" if spans else ""


def parent_named(query: QueryObject) -> str:
    """Returns the relation whose one row a filter names: `filter(author=author)`; "" if none does."""
    return next((name for lookup in sorted(query.filters) if (name := _related_row(query.model, lookup))), "")


def _related_row(model: Model | None, lookup: str) -> str:
    """Returns the last relation of `author`, `author_id`, `author__pk`, `chapters__author`; "" for a lookup that ends elsewhere.

    A column of a model that is joined is named with it: `Author.id`, `Author.country_id`.
    """
    other, _, column = lookup.rpartition(".")
    if other:
        return other if column == "id" else column.removesuffix("_id") if column.endswith("_id") else ""
    found = ""
    for part in lookup.removesuffix("__exact").split("__"):
        if model is None or (found and model.is_primary_key(part)):
            return found if model is not None else ""
        relation = next((r for r in model.relations.values() if r.attname == part), None) or model.relation(part)
        if relation is None:
            # a mapping need not declare the relation that a column refers to
            return part.removesuffix("_id") if part in model.columns and part.endswith("_id") else ""
        found, model = relation.name, relation.target
    return found if model is None or model.name not in KINDS else ""


def _compared(query: QueryObject, operator: str) -> set[str]:
    return {lookup.rpartition("__")[0] for lookup in query.filters if lookup.endswith((f"__{operator}", f"__{operator}e"))}
