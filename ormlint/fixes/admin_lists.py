"""`list_select_related` of an admin class: set, extended, or replaced by names where it was a flag.

A model that is registered without a class gets the setting with the call: `admin.site.register(Book, list_select_related=["author"])`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from ormlint.fixes.chain import append_argument, append_element
from ormlint.fixes.guards import risk_of_loading_more
from ormlint.fixes.imports import Refusal
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.judge.eager import without_prefixes
from ormlint.judge.finding import Applicability, Finding, Fix, ListSelectRelated
from ormlint.run.log import AdminList, Joins
from ormlint.text import Edit, Site

NAME = "list_select_related"


@dataclass(frozen=True, slots=True)
class _Place:
    """The body of an admin class."""

    file: SourceFile
    statement: Statement
    body: cst.IndentedBlock


def plan_admin_lists(findings: list[Finding], sources: Sources) -> None:
    """Sets the fix of the findings that want a list to join more; those about one list share it."""
    groups: dict[Site, list[tuple[Finding, ListSelectRelated]]] = {}
    for finding in findings:
        if isinstance(finding.intent, ListSelectRelated):
            groups.setdefault(finding.intent.page.site, []).append((finding, finding.intent))
    for group in groups.values():
        fix = _fix(group[0][1].page, ["__".join(hop.name for hop in intent.path) for _, intent in group], sources)
        for finding, _ in group:
            finding.fix = fix


def _fix(page: AdminList, paths: list[str], sources: Sources) -> Fix:
    names = without_prefixes(paths if page.joins is Joins.NAMED else [*page.used, *paths])
    made = _edits(page, names, sources)
    description = f"add {', '.join(f'`{name}`' for name in without_prefixes(paths))} to `{NAME}` of `{page.name}`"
    if isinstance(made, Refusal):
        return Fix(Applicability.DISPLAY, description, (), made.reason)
    fix = Fix(Applicability.SAFE, description, tuple(made))
    risk = "other admins have the same class, or inherit from it" if page.is_shared else risk_of_loading_more(sources, page.own)
    return replace(fix, applicability=Applicability.UNSAFE, reason=risk) if risk else fix


def _edits(page: AdminList, names: list[str], sources: Sources) -> list[Edit] | Refusal:
    if page.setting is not None:
        return _extended(page.setting, names, sources, replaces=page.joins is not Joins.NAMED)
    if page.joins is Joins.NAMED:
        return Refusal(f"`{NAME}` is inherited")
    if page.is_default:
        return _passed(page.site, names, sources)
    place = _body(page.site, sources)
    if place is None:
        return Refusal("the class has no body of its own lines")
    return _inserted(place, names)


def _passed(site: Site, names: list[str], sources: Sources) -> list[Edit] | Refusal:
    file, statement = sources.file(site), sources.statement(site)
    call = statement.expression(site.start, site.end) if statement is not None else None
    if file is None or statement is None or not isinstance(call, cst.Call) or any(argument.star for argument in call.args):
        return Refusal("the model is registered in a way that takes no settings")
    quote = _quote(file)
    return append_argument(file, statement, call, [f"{NAME}={_written([f'{quote}{name}{quote}' for name in names], as_tuple=False)}"])


def _extended(site: Site, names: list[str], sources: Sources, *, replaces: bool) -> list[Edit] | Refusal:
    file, statement = sources.file(site), sources.statement(site)
    node = statement.expression(site.start, site.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return Refusal(f"the value of `{NAME}` cannot be read")
    quote = _quote(file)
    added = [f"{quote}{name}{quote}" for name in names]
    if replaces:
        return [file.edit(*statement.outer(node), _written(added, as_tuple=False))]
    match node:
        case cst.List() | cst.Tuple() if not node.elements:
            return [file.edit(*statement.outer(node), _written(added, as_tuple=isinstance(node, cst.Tuple)))]
        case cst.List() | cst.Tuple() if all(isinstance(e.value, cst.SimpleString) for e in node.elements):
            last = node.elements[-1]
            comma = last.comma if isinstance(last.comma, cst.Comma) else None
            start, end = statement.span(last)[0], statement.outer(last.value)[1]
            return append_element(file, start, end, statement.span(comma)[0] + 1 if comma is not None else None, added)
        case _:
            return Refusal(f"the value of `{NAME}` is not a plain list")


def _body(site: Site, sources: Sources) -> _Place | None:
    file, statement = sources.file(site), sources.statement(site)
    if file is None or statement is None:
        return None
    for node in statement.within(statement.module, cst.ClassDef):
        if statement.span(node.name)[1] == site.end and isinstance(node.body, cst.IndentedBlock):
            return _Place(file, statement, node.body)
    return None


def _inserted(place: _Place, names: list[str]) -> list[Edit] | Refusal:
    """Returns the edit that adds the setting behind `list_display`, or behind the first of the other settings."""
    lines = [line for line in place.body.body if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1]
    settings = [line for line in lines if isinstance(line.body[0], (cst.Assign, cst.AnnAssign))]
    after = next((line for line in settings if _sets(line.body[0], "list_display")), settings[0] if settings else None)
    if after is None:
        return Refusal("there is no other setting in the class to put it after")
    file, statement = place.file, place.statement
    small = after.body[0]
    indentation = file.indentation(statement.span(small)[0])
    if indentation is None:
        return Refusal("the settings of the class share a line")
    end = statement.span(small)[1]
    end += len(file.rest_of_line(end))
    quote = _quote(file)
    value = _written([f"{quote}{name}{quote}" for name in names], as_tuple=isinstance(small, cst.Assign) and isinstance(small.value, cst.Tuple))
    return [file.insert(end, f"{file.newline}{indentation}{NAME} = {value}")]


def _written(items: list[str], *, as_tuple: bool) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})" if as_tuple else f"[{', '.join(items)}]"


def _sets(node: cst.BaseSmallStatement, name: str) -> bool:
    targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target] if isinstance(node, cst.AnnAssign) else []
    return any(isinstance(target, cst.Name) and target.value == name for target in targets)


def _quote(file: SourceFile) -> str:
    return "'" if file.text.count("'") > file.text.count('"') else '"'
