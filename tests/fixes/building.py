"""Findings built by hand from snippets of source, and what becomes of them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from ormlint.fixes import plan_fixes
from ormlint.fixes.rewrite import rewrite
from ormlint.judge.finding import Applicability, EagerLoad, Finding, Fix, Intent, Severity
from ormlint.judge.project import Project
from ormlint.link.schema import Column, Kind, Model, Orm, Relation, Schema
from ormlint.run.log import QueryObject, Use, UseKind
from ormlint.text import Site

PATH = "shop/views.py"
NOWHERE = Site("shop/models.py", 0, 0)


def model(name: str, orm: Orm = Orm.DJANGO, path: str = "shop/models.py") -> Model:
    return Model(name, f"shop.{name}", orm, Site(path, 0, 0), has_objects=orm is Orm.DJANGO)


def relate(owner: Model, name: str, target: Model | None, kind: Kind = Kind.FOREIGN_KEY, query_name: str = "", lazy: str = "select") -> Relation:
    attname = f"{name}_id" if kind in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE) else ""
    owner.relations[name] = Relation(name, owner, target, kind, NOWHERE, query_name or name, attname, lazy=lazy)
    return owner.relations[name]


@dataclass
class Shop:
    """Book → Author → Country, Book → Publisher, Author ⇉ Book, Book → anything, Author ↔ Profile."""

    orm: Orm = Orm.DJANGO
    schema: Schema = field(default_factory=Schema)

    def __post_init__(self) -> None:
        self.book, self.author, self.country, self.publisher, self.profile = (
            model(name, self.orm) for name in ("Book", "Author", "Country", "Publisher", "Profile")
        )
        for each in (self.book, self.author, self.country, self.publisher, self.profile):
            self.schema.models[each.label] = each
        self.to_author = relate(self.book, "author", self.author)
        self.to_publisher = relate(self.book, "publisher", self.publisher)
        self.to_country = relate(self.author, "country", self.country)
        self.to_books = relate(self.author, "books", self.book, Kind.REVERSE_FOREIGN_KEY, "book")
        self.to_tags = relate(self.book, "tags", self.country, Kind.MANY_TO_MANY)
        self.to_subject = relate(self.book, "subject", None, Kind.GENERIC_FOREIGN_KEY)
        self.to_profile = relate(self.author, "profile", self.profile, Kind.REVERSE_ONE_TO_ONE, "author_profile")
        self.pages = Column("pages", "IntegerField", NOWHERE)

    @property
    def project(self) -> Project:
        return Project("/", self.schema)


def site(text: str, part: str, path: str = PATH, occurrence: int = 1) -> Site:
    """Where a part of a text stands; fails if it does not occur."""
    start = -1
    for _ in range(occurrence):
        start = text.index(part, start + 1)
    return Site(path, start, start + len(part))


def finding(intent: Intent, at: Site) -> Finding:
    return Finding("ORM101", "related-object-in-loop", "n-plus-one", Severity.WARNING, at, "message", "help", intent=intent)


def query(shop: Shop, text: str, part: str, **options: object) -> QueryObject:
    """A query that one loop consumes and nothing else, unless `options` say otherwise."""
    place = site(text, part)
    settings: dict[str, object] = {"model": shop.book, "orm": shop.orm, "site": place, "uses": [Use(UseKind.ITERATE, place)], **options}
    return QueryObject(**settings)  # type: ignore[arg-type]


def plan(text: str, shop: Shop, *intents: tuple[Intent, Site]) -> list[Fix | None]:
    findings = [finding(intent, at) for intent, at in intents]
    plan_fixes(findings, shop.project, texts_of({PATH: text}))
    return [each.fix for each in findings]


def texts_of(files: dict[str, str]) -> Callable[[str], str]:
    return files.__getitem__


def fixed(text: str, fixes: list[Fix | None]) -> str:
    """The text with the fixes applied in one pass; fails unless every one is applied and the result is Python."""
    findings = []
    for fix in fixes:
        assert fix is not None
        assert fix.applicability is not Applicability.DISPLAY, fix.reason
        findings.append(Finding("ORM101", "", "", Severity.WARNING, Site(PATH, 0, 0), "", "", fix=fix))
    result = rewrite(findings, texts_of({PATH: text}), unsafe=True)
    assert not result.problems
    assert not result.deferred
    after = result.texts[PATH]
    ast.parse(after.removeprefix("\ufeff"))
    return after


def load(text: str, part: str, *paths: tuple[Relation, ...], shop: Shop, **options: object) -> list[Fix | None]:
    """The fixes of findings that want paths loaded with the query built by `part`."""
    source = query(shop, text, part, **options)
    return plan(text, shop, *((EagerLoad(source, path, source.site), source.site) for path in paths))
