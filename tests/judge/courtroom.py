"""A judge's bench for tests: texts, rules made on the spot, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ormlint.api import Label, Mark, Orm, Project, QueryLog, Report, Rule, Schema, Severity, Site
from ormlint.judge.assemble import Excludes, Hides, Judgement, judge
from ormlint.judge.registry import load_rules
from ormlint.read.python import lower_python
from ormlint.text import LineIndex

COMMENT_RULES = tuple(rule for rule in load_rules() if rule.judges_comments)


def at(path: str, text: str, fragment: str, occurrence: int = 0) -> Site:
    """Returns the place of a piece of text."""
    start = -1
    for _ in range(occurrence + 1):
        start = text.index(fragment, start + 1)
    return Site(path, start, start + len(fragment))


def report(site: Site, *places: Site, cause: object = None, relations: Sequence[str] = ()) -> Report:
    """Returns a report at a site with labels at other places; its cause is the site unless given."""
    labels = tuple(Label(place, Mark.QUERY, "the rows come from here") for place in places)
    return Report(site, "loading `x` runs one query per `Y`", "load `x`", (cause or site,), labels, relations=tuple(relations))


def rule_that(yields: Callable[[], Iterator[Report]] | Sequence[Report], code: str = "ORM101", name: str = "related-object-in-loop") -> Rule:
    """Returns a rule that says what it is told to say."""

    def check(project: Project, log: QueryLog) -> Iterator[Report]:
        yield from (yields() if callable(yields) else yields)

    return Rule(code, name, check, Severity.WARNING, True, (Orm.DJANGO,), "x.n_plus_one.y")


def judged(
    texts: Mapping[str, str],
    *rules: Rule,
    others: Sequence[Rule] = (),
    hides: Hides = lambda rule, site: "",
    excludes: Excludes = lambda site: "",
    preview: bool = False,
) -> Judgement:
    """Returns the judgement of the rules, and of those that judge comments; `others` exist and do not run."""
    modules = [lower_python(path, path.removesuffix(".py"), text) for path, text in texts.items()]
    project = Project("/shop", Schema(), lines={path: LineIndex.of(text) for path, text in texts.items()})
    running = (*rules, *COMMENT_RULES)
    return judge(project, QueryLog(), modules, texts, running, (*running, *others), hides, excludes, preview=preview)
