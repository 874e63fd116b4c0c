"""From rules and a query log to the findings people see."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ormlint.ir import nodes as ir
from ormlint.judge.finding import Finding, Report
from ormlint.judge.project import Project, Suppression
from ormlint.judge.rule import Rule
from ormlint.judge.suppress import is_suppressed, suppressions
from ormlint.judge.unnamed import Unnamed
from ormlint.problem import Problem
from ormlint.run.log import QueryLog
from ormlint.text import Site

Hides = Callable[[Rule, Site], str]
Excludes = Callable[[Site], str]
MOST_NAMED = 3  # further places of a cause that are named in its note


@dataclass(frozen=True, slots=True)
class Dropped:
    """A report that does not become a finding of its own, and why."""

    rule: Rule
    report: Report
    reason: str


@dataclass(slots=True)
class Judgement:
    """What the rules found, sorted by place, what was left out, and which rules failed."""

    findings: list[Finding] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def judge(
    project: Project,
    log: QueryLog,
    modules: Sequence[ir.Module],
    texts: Mapping[str, str],
    rules: Sequence[Rule],
    all_rules: Sequence[Rule],
    hides: Hides = lambda rule, site: "",
    excludes: Excludes = lambda site: "",
    *,
    is_rare: Callable[[str], bool] = lambda path: False,
    preview: bool = False,
) -> Judgement:
    """Returns the findings of the rules.

    `hides` returns why findings of a rule at a site are not wanted, "" if they are; `excludes` does so for every other place
    of a finding: what only a test asks for is no concern of the program that it tests. `all_rules` are those that comments
    may name. `preview` tells whether reports that are less certain than their rule are wanted, and those in files of which `is_rare`
    holds, as what they do is hardly ever done. A rule that fails becomes a problem, and the others run.
    """
    result = Judgement()
    project.excludes = excludes
    project.suppressions = suppressions(modules, texts, all_rules)
    comments: dict[str, list[Suppression]] = {}
    for comment in project.suppressions:
        comments.setdefault(comment.site.path, []).append(comment)
    # a comment without a name, or one that means every rule, does not silence what is said of comments
    of_comments = frozenset(rule.code for rule in all_rules if rule.judges_comments)
    outspoken = {path: [comment for comment in own if comment.codes and comment.codes <= of_comments] for path, own in comments.items()}
    running = {rule.code for rule in rules if not rule.judges_comments}
    kept: list[tuple[Rule, Report]] = []
    unnamed = Unnamed(project, log, texts, [path for path in (module.path for module in modules) if not excludes(Site(path, 0, 0))])
    for rule in sorted(rules, key=lambda rule: rule.judges_comments):
        if rule.judges_comments:
            _mark_judged(project, running, all_rules)
        for report in _reports(rule, project, log, result.problems):
            places = [report.site, *(label.site for label in report.labels)]
            reason = hides(rule, report.site) or next(filter(None, map(excludes, places)), "")
            if is_suppressed(places, rule.code, outspoken if rule.judges_comments else comments, project):
                reason = "silenced by a comment"
            rare = any(is_rare(place.path) for place in places) or _is_called_rarely(log, report.site, is_rare, excludes)
            if not preview and not reason and (report.preview or rare or unnamed.holds(report)):
                reason = "is shown only with --preview"
            if reason:
                result.dropped.append(Dropped(rule, report, reason))
            else:
                kept.append((rule, report))
    result.findings = _findings(kept, project, texts, result.dropped)
    return result


def _is_called_rarely(log: QueryLog, site: Site, is_rare: Callable[[str], bool], excludes: Excludes) -> bool:
    """Whether nothing calls the function that a place stands in but what is hardly ever done: a command that sets up an installation, migrations."""
    function = log.functions.around(site)
    if log.functions.only_installs(function):
        return True
    calling = [path for path in log.functions.called_from(function) if not excludes(Site(path, 0, 0))] if function else []
    return bool(calling) and all(map(is_rare, calling))


def _mark_judged(project: Project, running: set[str], rules: Sequence[Rule]) -> None:
    everything = {rule.code for rule in rules if rule.stable and not rule.judges_comments}
    for comment in project.suppressions:
        comment.judged = (comment.codes & everything if not comment.selector else comment.codes) <= running


def _reports(rule: Rule, project: Project, log: QueryLog, problems: list[Problem]) -> list[Report]:
    """Returns a rule's reports up to where it ends or fails; a failure is added to the problems."""
    reports: list[Report] = []
    try:
        reports.extend(rule.check(project, log))
    except Exception as error:
        # rules are other people's code too: one that fails is reported in full and must not take the others down
        message = f"the rule {rule.code} [{rule.name}] failed: {error!r}"
        problems.append(Problem("", 1, 1, message, "internal", traceback.format_exc()))
    return reports


def _findings(kept: list[tuple[Rule, Report]], project: Project, texts: Mapping[str, str], dropped: list[Dropped]) -> list[Finding]:
    """Returns one finding per rule and cause, at the first place in file order of the lowest rank; notes tell of the others.

    A report that needs no --preview speaks for its cause if there is one, so that --preview changes no other finding.
    """
    first: dict[tuple[object, ...], tuple[Finding, list[Report]]] = {}
    for rule, report in sorted(kept, key=lambda pair: (pair[1].preview, pair[1].rank, pair[1].site, pair[0].code)):
        cause = (rule.code, *report.cause)
        if cause not in first:
            first[cause] = _finding(rule, report), [report]
            continue
        finding, reports = first[cause]
        reports.append(report)
        if project.at(report.site) != project.at(finding.site):
            dropped.append(Dropped(rule, report, f"has the same cause as {project.at(finding.site)}"))
    for finding, reports in first.values():
        # one place is reported several times if the function around it runs in several contexts
        places: dict[str, Site] = {}
        for report in reports:
            places.setdefault(project.at(report.site), report.site)
        _, *further = places
        finding.elsewhere = tuple(places[place] for place in further)
        finding.notes = (*finding.notes, *_further_accesses(reports), *_elsewhere(further))
    findings = sorted((finding for finding, _ in first.values()), key=lambda f: (f.site.path, project.position(f.site), f.code))
    _number(findings, project, texts)
    return findings


def _finding(rule: Rule, report: Report) -> Finding:
    return Finding(
        code=rule.code,
        name=rule.name,
        family=rule.family,
        severity=report.severity or rule.severity,
        site=report.site,
        message=report.message,
        help=report.help,
        labels=report.labels,
        notes=report.notes,
        relations=report.relations,
        intent=report.intent,
        others=report.others,
    )


def _further_accesses(reports: list[Report]) -> tuple[str, ...]:
    """Returns a note that counts what else the call leads to that the first report is about."""
    spoken = reports[0]
    accesses = {report.labels[-1].site for report in reports if report.labels and report.site == spoken.site}
    if not spoken.counted_as or len(accesses) < 2:
        return ()
    more = len(accesses) - 1
    noun = spoken.counted_as
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return (f"{more} more {noun if more == 1 else plural} behind this call",)


def _elsewhere(places: list[str]) -> tuple[str, ...]:
    if not places:
        return ()
    count = "1 further place has" if len(places) == 1 else f"{len(places)} further places have"
    more = ", …" if len(places) > MOST_NAMED else ""
    return (f"{count} the same cause: {', '.join(places[:MOST_NAMED])}{more}",)


def _number(findings: list[Finding], project: Project, texts: Mapping[str, str]) -> None:
    """Gives every finding a fingerprint that survives edits elsewhere in its file."""
    seen: Counter[str] = Counter()
    for finding in findings:
        index = project.lines[finding.site.path]
        first = index.position(finding.site.start).line
        last = index.position(max(finding.site.start, finding.site.end - 1)).line
        text = texts[finding.site.path][index.offset(first) : index.offset(min(last, first + 9) + 1)]
        key = "\0".join((finding.code, finding.site.path, " ".join(text.split()), *sorted(finding.relations)))
        occurrence = seen[key]
        seen[key] += 1
        finding.fingerprint = hashlib.sha256(f"{key}\0{occurrence}".encode()).hexdigest()[:16]
