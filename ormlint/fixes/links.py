"""What becomes another thing where rows are linked with one `add(*tags)` instead of one by one.

for tag in Tag.objects.all():          book.tags.add(*Tag.objects.all())
    book.tags.add(tag)

Receivers of `m2m_changed` are called once, with all keys. The links are made in the order of a set, so that who asks for them, or for tags
without an order, may get them in another one. With no rows at all the collection is asked for that the loop never looks at: of a row without
a key that is an error, and prefetched rows are forgotten (django.db.models.fields.related_descriptors, 4.2 to 6.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from ormlint.fixes.guards import is_handled
from ormlint.fixes.read_rows import is_read_row
from ormlint.fixes.receivers import is_stream
from ormlint.fixes.source import Sources
from ormlint.fixes.walk import Walk
from ormlint.judge.finding import WriteTogether
from ormlint.judge.project import Project
from ormlint.link.schema import Kind, Model
from ormlint.run.log import QueryObject, Shape

SIGNALS = "receivers of `m2m_changed` are called once for all rows"
_APPS = f"{SIGNALS}, and it is not known that the installed apps have none"
_ORDER = "the links are made in another order, which shows where nothing sorts the rows"
_THROUGH = "something asks for the links themselves, which are made in another order"
_RECEIVER = "with no rows to link it is asked for all the same, and may be no row that the database has"
_ROWS = "it is not certain that all of them are rows of the database"
_PARTLY = "a `try` or `with` may wait for an error, behind which some of the rows are linked so far"
_OLD = "before Django 3.0 all keys are sent in one look-up, which may be too long"
# Apps without receivers of `m2m_changed` (read in their sources).
_KNOWN = re.compile(r"(?:django\.contrib\.\w+|rest_framework|django_filters|corsheaders)(?:\.\w+)*")
RECEIVING, _ASKING = re.compile(r"\bm2m_changed\b"), re.compile(r"\.through\b")
_FAST = (3, 0)


def risk_of_linking(sources: Sources, project: Project, walk: Walk, intent: WriteTogether) -> str:
    """Returns why one `add()` or `remove()` of all rows may do something else than one for each, "" if it cannot."""
    event, rows = intent.event, intent.loop.source
    relation = event.relation if event is not None else None
    if event is None or relation is None or relation.kind is not Kind.MANY_TO_MANY or relation.through is not None or event.method != "add":
        return SIGNALS
    if project.lacks(_FAST):
        return _OLD
    call = walk.node
    match call:
        case cst.Call(func=cst.Attribute(value=cst.Attribute(value=cst.Name(value=name))), args=[_]) if event.row is not None:
            known = is_read_row(walk.file, walk.statement, walk.loop.iter, name, event.row, event.function)
            if not known or relation.name in event.row.query.plan.loaded:
                return _RECEIVER
        case _:
            return _RECEIVER
    if is_handled(walk.statement, call):
        return _PARTLY
    if rows is None or not _are_rows(rows, relation.target):
        return _ROWS
    if relation.target is None or not _is_sorted(relation.target):
        return _ORDER
    if sources.found(RECEIVING, project.lines):
        return SIGNALS
    if sources.found(_ASKING, project.lines):
        return _THROUGH
    return "" if _have_no_receivers(project) else _APPS


def _are_rows(rows: QueryObject, target: Model | None) -> bool:
    if (
        target is None
        or rows.model is not target
        or rows.shape is not Shape.ROWS
        or is_stream(rows)
        or rows.ways
        or not rows.complete
        or not rows.plain
    ):
        return False
    return target.has_plain_manager and target.plain_rows and not target.unread_base and not rows.has("using", "db_manager", "raw")


def _is_sorted(model: Model) -> bool:
    """Whether `Meta.ordering` leaves no doubt which row comes first."""
    unique = {column.name for column in model.columns.values() if column.unique and not column.nullable}
    return model.ordering_known and any(model.is_primary_key(name.lstrip("-")) or name.lstrip("-") in unique for name in model.ordering)


def _have_no_receivers(project: Project) -> bool:
    """Whether every app that the settings install belongs to the project, or is known to have no receiver of `m2m_changed`."""
    apps = project.settings.get("INSTALLED_APPS")
    if not isinstance(apps, (list, tuple)):
        return False
    return all(isinstance(app, str) and (_KNOWN.fullmatch(app) is not None or _is_own(app, project.lines)) for app in apps)


def _is_own(app: str, paths: Iterable[str]) -> bool:
    """Whether an app is part of the project: "shop", "apps.shop", "shop.apps.ShopConfig"."""
    parts = app.split(".")
    names = ["/".join(parts), "/".join(parts[:-1])] if parts[-1][:1].isupper() else ["/".join(parts)]
    ends = tuple(f"/{name}{end}" for name in names if name for end in (".py", "/__init__.py", "/models.py", "/apps.py"))
    return any(f"/{path}".endswith(ends) for path in paths)
