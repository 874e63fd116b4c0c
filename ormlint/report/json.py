"""The report for programs: one JSON document, version 1, described by `schema.json` beside this module.

Lines and columns are counted from 1, columns in characters; paths are relative to the current directory.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TypeAlias

from ormlint.judge.finding import Applicability, Finding, Fix
from ormlint.judge.project import Project
from ormlint.problem import Problem
from ormlint.report.result import Result, every_problem, fixable, total
from ormlint.text import Site

VERSION = 1
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | None"


def render(results: Sequence[Result]) -> str:
    """Returns the document."""
    document: Json = {
        "version": VERSION,
        "findings": [_finding(result, finding) for result in results for finding in result.findings],
        "errors": [_error(result, problem) for result, problem in every_problem(results)],
        "summary": _summary(results),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _finding(result: Result, finding: Finding) -> Json:
    return {
        "code": finding.code,
        "name": finding.name,
        "family": finding.family,
        "severity": finding.severity.value,
        "message": finding.message,
        "help": finding.help,
        **_range(result.project, finding.site),
        "relations": list(finding.relations),
        "related": [
            *({**_range(result.project, label.site), "label": label.text or label.mark.value} for label in finding.labels),
            *({**_range(result.project, site), "label": "rows come from here too"} for site in finding.others),
            *({**_range(result.project, site), "label": "the same cause"} for site in finding.elsewhere),
        ],
        "fix": _fix(result.project, finding.fix) if finding.fix is not None else None,
        "fingerprint": finding.fingerprint,
        "url": result.pages.get(finding.code),
    }


def _range(project: Project, site: Site) -> dict[str, Json]:
    index = project.lines[site.path]
    start, end = index.position(site.start), index.position(site.end)
    return {
        "path": project.shown(site.path),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    }


def _fix(project: Project, fix: Fix) -> Json:
    edits: list[Json] = []
    for edit in fix.edits:
        where = _range(project, Site(edit.path, edit.start, edit.end))
        path, line, column, end_line, end_column = where.values()
        edits.append(
            {"path": path, "start": {"line": line, "column": column}, "end": {"line": end_line, "column": end_column}, "content": edit.content}
        )
    return {"applicability": fix.applicability.value, "description": fix.description, "reason": fix.reason, "edits": edits}


def _error(result: Result, problem: Problem) -> Json:
    return {
        "kind": problem.kind,
        "message": problem.message,
        "path": result.project.shown(problem.path) if problem.path else None,
        "line": problem.line,
        "column": problem.column,
    }


def _summary(results: Sequence[Result]) -> Json:
    fixes = fixable(results)
    return {
        "findings": sum(len(result.findings) for result in results),
        "errors": len(every_problem(results)),
        "fixable": fixes[Applicability.SAFE],
        "fixable_unsafe": fixes[Applicability.UNSAFE],
        "fixed": sum(result.fixed for result in results),
        **asdict(total(results)),
    }
