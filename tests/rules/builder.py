"""Builds small schemas and query logs, so that a rule is tested without reading a program."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ormlint.api import (
    Bound,
    Circumstances,
    Column,
    Endpoint,
    Event,
    Kind,
    Loop,
    Model,
    Op,
    Origin,
    Orm,
    Project,
    QueryLog,
    QueryObject,
    Relation,
    Report,
    Rule,
    Schema,
    Site,
    Use,
    UseKind,
)
from ormlint.text import LineIndex

NOWHERE = Site("shop/models.py", 0, 0)
_ids = itertools.count(1)


@dataclass(frozen=True)
class Source:
    """A file of an imaginary project; `at` returns the place of a piece of its text."""

    path: str
    text: str

    def at(self, fragment: str) -> Site:
        start = self.text.index(fragment)
        return Site(self.path, start, start + len(fragment))

    def after(self, fragment: str) -> Site:
        return Site(self.path, self.at(fragment).end, len(self.text))


def model(name: str, orm: Orm = Orm.DJANGO, **facts: Any) -> Model:
    return Model(name, f"shop.{name}", orm, NOWHERE, columns={"id": Column("id", "AutoField", NOWHERE, primary_key=True)}, **facts)


def relate(owner: Model, name: str, target: Model | None, kind: Kind = Kind.FOREIGN_KEY, **facts: Any) -> Relation:
    forward = kind in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)
    relation = Relation(name, owner, target, kind, NOWHERE, query_name=name, attname=f"{name}_id" if forward else "", **facts)
    owner.relations[name] = relation
    return relation


def column(owner: Model, name: str, type: str = "IntegerField") -> Column:
    owner.columns[name] = Column(name, type, NOWHERE)
    return owner.columns[name]


def project(*sources: Source, **facts: Any) -> Project:
    lines = {source.path: LineIndex.of(source.text) for source in (Source("shop/models.py", ""), *sources)}
    return Project("/shop", Schema(), lines=lines, **facts)


def query(of: Model | None, site: Site = NOWHERE, **facts: Any) -> QueryObject:
    facts.setdefault("orm", of.orm if of is not None else Orm.DJANGO)
    return QueryObject(model=of, site=site, **facts)


def loop(site: Site, body: Site | None = None, bound: Bound = Bound.MANY, **facts: Any) -> Loop:
    facts.setdefault("kind", "for")
    return Loop(id=next(_ids), site=site, body=body or site, bound=bound, **facts)


def event(op: Op, site: Site, *loops: Loop, around: Circumstances | None = None, **facts: Any) -> Event:
    found = Event(op=op, site=site, loops=loops, **facts)
    if around is not None:
        found.around = around
    return found


def lazy(row: QueryObject, path: str, site: Site, *loops: Loop, op: Op | None = None, **facts: Any) -> Event:
    """An access to the relation at the end of a lookup path from the rows of a query."""
    names = tuple(path.split("__"))
    owner, relation = row.model, None
    for name in names:
        assert owner is not None
        relation = owner.relations[name]
        owner = relation.target
    assert relation is not None
    op = op or (Op.LAZY_OBJECT if relation.to_one else Op.LAZY_COLLECTION)
    facts = {"row": Origin(row, names[:-1]), "model": relation.target, "orm": row.orm, **facts}
    return event(op, site, *loops, relation=relation, path=names, **facts)


def use(kind: UseKind, site: Site = NOWHERE, operator: str = "", constant: object = None, **facts: Any) -> Use:
    return Use(kind, site, operator, constant, **facts)


def reports(rule: Rule, project: Project, events: Iterable[Event] = (), queries: Iterable[QueryObject] = ()) -> list[Report]:
    """Returns what a rule says of a log, after checking that it says it in the house style."""
    found = list(rule.check(project, QueryLog(events, queries)))
    for report in found:
        assert_house_style(report)
    return found


def assert_house_style(report: Report) -> None:
    for text in (report.message, report.help, *report.notes, *(label.text for label in report.labels)):
        assert re.match(r"[a-z`]", text), text
        assert not text.endswith("."), text
        assert text.count("`") % 2 == 0, text
        assert not re.search(r"\b(slow|bad|should|probably|please|illegal)\b", text), text
    assert len(report.message) <= 90, report.message


def endpoint(name: str, site: Site, rows: QueryObject | None, framework: str = "drf", **facts: Any) -> Endpoint:
    return Endpoint(name, framework, site, rows, **facts)
