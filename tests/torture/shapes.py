"""The shapes that people give their code: each takes a piece of work in its plainest form and returns it in another one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace

from tests.generated.layout import STYLES, Chain, Link, spell
from tests.torture.program import INDENTATION, Inapplicable, Program, asked, indentation_of
from tests.torture.work import Gain

Shape = Callable[[Program], "Program | Inapplicable"]
_SIMPLE = re.compile(r"\s*(?!for |if |while |with |try|else|match |case |def |class |async )\S.*")
_DJANGO, _SQLALCHEMY = Inapplicable("SQLAlchemy has it not"), Inapplicable("Django has it not")
_NO_LOOP = Inapplicable("no loop walks over the rows of the query")
_NO_ARGUMENTS = Inapplicable("no method of the query has arguments")


# ------------------------------------------------------------------------------------------------ how the query is written
def _of_query(shape: Shape) -> Shape:
    """Returns a shape that only work with a query of its own has."""

    def apply(program: Program) -> Program | Inapplicable:
        return Inapplicable(program.work.lacks) if program.work.lacks else shape(program)

    return apply


def _styled(style: str) -> Shape:
    return _of_query(lambda program: asked(program, spell(program.work.chain, style, indentation_of(program.work))))


def _reworded(change: Callable[[Chain], Chain | Inapplicable]) -> Shape:
    def apply(program: Program) -> Program | Inapplicable:
        changed = change(program.work.chain)
        return changed if isinstance(changed, Inapplicable) else asked(program, spell(changed, "inline", INDENTATION))

    return _of_query(apply)


def _with_arguments(form: str) -> Callable[[Chain], Chain | Inapplicable]:
    """Returns what writes the last argument of the last method that has any in another form."""

    def change(chain: Chain) -> Chain | Inapplicable:
        at = next((number for number, link in reversed(list(enumerate(chain.links))) if link.arguments and link.name), None)
        if at is None:
            return _NO_ARGUMENTS
        link = chain.links[at]
        assert link.arguments is not None
        changed = replace(link, arguments=(*link.arguments[:-1], form.format(link.arguments[-1])))
        return replace(chain, links=(*chain.links[:at], changed, *chain.links[at + 1 :]))

    return change


def _concatenated(chain: Chain) -> Chain | Inapplicable:
    for number, link in enumerate(chain.links):
        text = (link.arguments or ("",))[0]
        if re.fullmatch(r'"\w+"', text):
            changed = replace(link, arguments=(f'{text[:2]}" "{text[2:]}',))
            return replace(chain, links=(*chain.links[:number], changed, *chain.links[number + 1 :]))
    return Inapplicable("no argument of the query is a string")


_ENDS = ("order_by", "all", "count", "iterator", "offset", "limit", "yield_per")


def _inserted(django: Link | None, sqlalchemy: Link | None, *, model: bool = False) -> Shape:
    """Returns the shape whose query has a further method, before it is ordered and asked; one of Book or Ship only if `model`."""

    def apply(program: Program) -> Program | Inapplicable:
        work, link = program.work, django if program.package == "library" else sqlalchemy
        if link is None:
            return _DJANGO if program.package == "fleet" else _SQLALCHEMY
        if model and not _is_of_the_model(work.chain):
            return Inapplicable("the query is one of another model")
        chain = work.chain
        start = 1 + max((number for number, each in enumerate(chain.links) if each.arguments is None), default=-1)
        at = next((number for number, each in enumerate(chain.links) if number >= start and each.name in _ENDS), len(chain.links))
        name = re.match(r"\w+(?=\()", (link.arguments or ("",))[0])
        source = "django.db.models" if program.package == "library" else "sqlalchemy.orm"
        imports = f"{work.imports}\nfrom {source} import {name[0]}".strip() if name is not None else work.imports
        changed = replace(program, work=replace(work, imports=imports))
        return asked(changed, spell(replace(chain, links=(*chain.links[:at], link, *chain.links[at:])), "inline", ""))

    return _of_query(apply)


def _is_of_the_model(chain: Chain) -> bool:
    first = chain.links[0].arguments or ()
    return chain.root in ("Book", "self", "select(Ship)") or "Ship" in first


def _ended(django: Link | None, sqlalchemy: Link | None) -> Shape:
    """Returns the shape whose query has a further step at its end."""

    def apply(program: Program) -> Program | Inapplicable:
        link = django if program.package == "library" else sqlalchemy
        if link is None:
            return _DJANGO if program.package == "fleet" else _SQLALCHEMY
        chain = program.work.chain
        if link.name == "iterator" and (_is_run_at_import(program) or "many=True" in program.work.text):
            return Inapplicable("a queryset has to stand there")
        if "queryset={q}" in program.work.text:
            return Inapplicable("a `Prefetch` takes neither a slice nor rows")
        if link.name == "iterator" and re.search(r"Paginator|len\(|\.exists|list\(", program.work.text):
            return Inapplicable("an iterator has no length, and neither slices nor methods")
        if link.name == "yield_per" and chain.root.startswith("select"):
            return Inapplicable("a select has no such method")
        if chain.links[-1].name in ("count", "all", "iterator", "yield_per"):
            return Inapplicable(f"the query ends with `{chain.links[-1].name}()`")
        return asked(program, spell(chain.then(link), "inline", ""))

    return _of_query(apply)


def _of_rows_no_more(program: Program) -> Program | Inapplicable:
    if program.work.variable or re.search(r"\b(?:book|found)\.|\.data\b", program.work.text):
        return Inapplicable("it gives dicts, whose attributes nobody can read")
    return _inserted(Link("values"), None)(program)


def _walrus(program: Program) -> Program | Inapplicable:
    if re.search(r"[(\[].* in (?:\w+\()*\{q\}", program.work.text):
        return Inapplicable("Python has no `:=` in the rows of a comprehension")
    return asked(program, f"(kept := {program.query})")


def _is_run_at_import(program: Program) -> bool:
    """Whether the query stands in the body of a class, outside of a method."""
    return "{q}" in program.work.above and "return {q}" not in program.work.above


def _evaluated(program: Program) -> Program | Inapplicable:
    if _is_run_at_import(program):
        return Inapplicable("the rows would be loaded when the file is imported")
    if program.work.chain.root.startswith("select"):
        return Inapplicable("a select is not evaluated")
    if program.work.chain.links[-1].name == "count":
        return Inapplicable("a number is not evaluated")
    return asked(program, "wanted", [f"wanted = {program.query}", "print([row for row in wanted][-1:])"])


def _before(query: str, *before: str) -> Shape:
    """Returns the shape that asks `query` behind lines in which `{q}` is the query as it was."""
    return _of_query(lambda program: asked(program, query, [line.replace("{q}", program.query) for line in before]))


def _refined(program: Program) -> Program | Inapplicable:
    """Builds the query in two statements."""
    chain = program.work.chain
    at = next((number for number, link in enumerate(chain.links) if link.name in ("order_by", "exclude")), None)
    if at is None:
        return Inapplicable("the query has no second part")
    first, rest = Chain(chain.root, chain.links[:at]), Chain("wanted", chain.links[at:])
    return asked(program, spell(rest, "inline", ""), [f"wanted = {spell(first, 'inline', '')}", "# in their order"])


def _continued(program: Program) -> Program | Inapplicable:
    lines = [line.replace("{q}", "\\\n            {q}") if "{q}" in line else line for line in program.work.lines]
    if lines == program.work.lines:
        return Inapplicable("the query stands above the function")
    return asked(replace(program, work=replace(program.work, text="\n".join(lines))), program.query)


def _formatted(nested: bool) -> Shape:
    def apply(program: Program) -> Program | Inapplicable:
        """Puts an expression into an f-string."""
        lines = program.lines
        at = next((number for number, line in enumerate(lines) if re.match(r"(print\((?!list|tag|review|Review|len\(vol)|total = )", line)), None)
        if at is None or program.query not in lines[at]:
            return Inapplicable("the query stands in no expression that is printed")
        if nested and sys.version_info < (3, 12):
            return Inapplicable("it is Python 3.12, and this is an older one")
        inner = re.sub(r"^print\((.*)\)$", r"\1", lines[at]).replace("total = ", "")
        inner = inner if nested else inner.replace('"', "'")
        return replace(program, lines=(*lines[:at], f'print(f"is {{{inner}}} of them")'))

    return _of_query(apply)


def _session_of(program: Program) -> str:
    return program.work.chain.root if program.argument and program.work.chain.root.isidentifier() else program.argument


def _in_another_file(program: Program) -> Program | Inapplicable:
    if program.work.chain.root == "self":
        return Inapplicable("the query is one of the manager itself")
    if "{n}" in program.query:
        return Inapplicable("the file would import its own class")
    name = f"asked_{program.number}"
    argument = _session_of(program)
    text = f"from {program.package}.models import {', '.join(program.models)}\n\n\ndef wanted({argument}):\n    # as asked\n"
    text = (
        ("from sqlalchemy import select\n" if program.package == "fleet" else "") + (f"{program.work.imports}\n" * bool(program.work.imports)) + text
    )
    changed = asked(program, f"{name}.wanted({argument})")
    return replace(
        changed, head=(*program.head, f"from {program.package} import {name}"), files={f"{name}.py": f"{text}    return {program.query}\n"}
    )


def _in_a_function(program: Program) -> Program | Inapplicable:
    if program.work.chain.root == "self":
        return Inapplicable("the query is one of the manager itself")
    argument = _session_of(program)
    changed = asked(program, f"wanted({argument})")
    return replace(changed, above=(f"def wanted({argument}):", f"    return {program.query}", "", "", *changed.above))


# ------------------------------------------------------------------------------------------------------ where it stands
def _inside(*around: str) -> Shape:
    return lambda program: replace(program, around=around)


def _asynchronous(program: Program) -> Program:
    behind = (
        "",
        "",
        f"def main({program.argument}):",
        "    try:",
        f"        work({program.argument}).send(None)",
        "    except StopIteration:",
        "        pass",
    )
    return replace(program, opening="async def work({argument}):", behind=behind)


def _async_for(program: Program) -> Program | Inapplicable:
    """Walks over the rows where no statement may be sent, so that the program fails unless all is loaded."""
    if program.package == "fleet":
        return Inapplicable("a Session is not asynchronous")
    if not any(_walks_over(line, program.query) for line in program.lines):
        return _NO_LOOP
    if program.query.endswith(".iterator()"):
        return Inapplicable("an iterator is not asynchronous")
    lines = tuple(f"async {line}" if _walks_over(line, program.query) else line for line in program.lines)
    behind = ("", "", "def main():", "    async_to_sync(work)()")
    head = (*program.head, "from asgiref.sync import async_to_sync")
    work = program.work if program.work.gain is Gain.ROWS else replace(program.work, gain=Gain.REPAIR)
    return replace(program, work=work, head=head, lines=lines, opening="async def work({argument}):", behind=behind)


def _walks_over(line: str, query: str) -> bool:
    return line.startswith("for ") and line.endswith(f" in {query}:")


def _nested(program: Program) -> Program:
    lines = ("def work():", *(INDENTATION + line for line in program.lines), "", "work()")
    return replace(program, lines=lines)


def _method(program: Program) -> Program:
    above = ("class Report:", '    """Prints."""', "", "    @staticmethod", f"    def work({program.argument}):")
    above += tuple(INDENTATION * 2 + line for line in program.lines)
    return replace(program, above=(*program.above, *(("", "") if program.above else ()), *above), lines=(f"Report.work({program.argument})",))


def _decorated(program: Program) -> Program:
    plain = ("import functools", "", "", "def plain(function):", "    @functools.wraps(function)", "    def called(*args):")
    plain += ("        return function(*args)", "", "    return called", "", "")
    return replace(program, above=(*plain, *program.above), opening="@plain\ndef main({argument}):")


def _tried(program: Program) -> Program:
    lines = ("try:", *(INDENTATION + line for line in program.lines), "finally:", INDENTATION + "print('over')")
    return replace(program, lines=lines)


def _lone_branch(program: Program) -> Program:
    lines = ("if 1 < 2:", *(INDENTATION + line for line in program.lines), "else:", INDENTATION + "print('never')")
    return replace(program, lines=lines)


def _one_line_suites(program: Program) -> Program | Inapplicable:
    """Writes the statements of a block behind its head, `for book in books: print(book)`."""
    joined: list[str] = []
    for line in program.lines:
        depth = len(line) - len(line.lstrip())
        head = joined[-1] if joined else ""
        owner = len(head) - len(head.lstrip())
        if joined and _SIMPLE.fullmatch(line) and depth > owner and not _SIMPLE.fullmatch(head.split(": ")[0] + ":"):
            joined[-1] += (" " if head.endswith(":") else "; ") + line.strip()
        else:
            joined.append(line)
    return replace(program, lines=tuple(joined)) if tuple(joined) != program.lines else Inapplicable("no block stands in the function")


def _semicolons(program: Program) -> Program | Inapplicable:
    """Writes statements that follow each other on one line."""
    joined: list[str] = []
    for line in program.lines:
        depth = len(line) - len(line.lstrip())
        if joined and _SIMPLE.fullmatch(line) and _SIMPLE.fullmatch(joined[-1]) and depth == len(joined[-1]) - len(joined[-1].lstrip()):
            joined[-1] += f"; {line.strip()}"
        else:
            joined.append(line)
    return replace(program, lines=tuple(joined)) if tuple(joined) != program.lines else Inapplicable("no two statements follow each other")


def _commented(program: Program) -> Program:
    lines: list[str] = []
    for number, line in enumerate(program.lines):
        depth = line[: len(line) - len(line.lstrip())]
        lines += [f"{depth}# über line {number}", f"{line}  # at its end: {number}"]
    return replace(program, lines=(*lines, "# the end"))


def _strings(program: Program) -> Program:
    text = (program.query or "rows").splitlines()[0]
    return replace(program, lines=(f'about = """\nfor x in {text}:  # not this one\n\t print(x)\n"""', *program.lines))


def _used_later(program: Program) -> Program | Inapplicable:
    if not program.work.variable:
        return _NO_LOOP
    lines = program.lines
    start = next((number for number, line in enumerate(lines) if line.startswith("for ")), 0)
    at = next((number for number, line in enumerate(lines) if number > start and line and not line.startswith((" ", "for ", "with "))), len(lines))
    return replace(program, lines=(*lines[:at], f"print({program.work.variable} is None)", *lines[at:]))


def _loop_else(program: Program) -> Program | Inapplicable:
    if not program.work.variable:
        return _NO_LOOP
    start = next(number for number, line in enumerate(program.lines) if line.startswith("for "))
    at = next((number for number, line in enumerate(program.lines) if number > start and not line.startswith(" ")), len(program.lines))
    return replace(program, lines=(*program.lines[:at], "else:", "    print('done')", *program.lines[at:]))


_TAKEN = ("joinedload", "contains_eager", "selectinload", "defaultload", "func", "exists", "Sum", "F", "Count")


def _taken(program: Program) -> list[str]:
    return [name for name in _TAKEN if name not in program.work.imports]


def _taken_in_file(program: Program) -> Program:
    names = _taken(program)
    return replace(program, above=(f"{' = '.join(names)} = 'mine'", "", "", *program.above), lines=(*program.lines, f"print({', '.join(names)})"))


def _taken_in_function(program: Program) -> Program:
    names = _taken(program)
    return replace(program, lines=(f"{' = '.join(names)} = 'mine'", *program.lines, f"print({', '.join(names)})"))


# ----------------------------------------------------------------------------------------------------- what is imported
def _star(program: Program) -> Program:
    return replace(program, imports=f"from {program.package}.models import *\n")


def _module(program: Program) -> Program:
    names = {name: f"{program.package}.models.{name}" for name in program.models}
    return replace(program, imports=f"import {program.package}.models\n", names=names)


def _alias(program: Program) -> Program:
    names = {name: f"m.{name}" for name in program.models}
    return replace(program, imports=f"from {program.package} import models as m\n", names=names)


def _renamed(program: Program) -> Program:
    names = {name: f"{name}Row" for name in program.models}
    imported = ", ".join(f"{name} as {other}" for name, other in names.items())
    return replace(program, imports=f"from {program.package}.models import {imported}\n", names=names)


def _used(program: Program) -> list[str]:
    text = "\n".join([*program.above, *program.lines])
    return [name for name in program.models if re.search(rf"\b{name}\b", text)] or list(program.models[:1])


def _only_needed(program: Program) -> Program:
    return replace(program, imports=f"from {program.package}.models import {', '.join(_used(program))}\n")


def _over_lines(program: Program) -> Program:
    names = "".join(f"    {name},  # one\n" for name in _used(program))
    return replace(program, imports=f"from {program.package}.models import (\n{names})\n")


def _in_function(program: Program) -> Program | Inapplicable:
    if any(re.search(rf"\b{name}\b", "\n".join(program.above)) for name in program.models):
        return Inapplicable("the models are needed above the function")
    line = f"from {program.package}.models import {', '.join(program.models)}"
    return replace(program, imports="# nothing\n", lines=(line, "", *program.lines))


def _for_types(program: Program) -> Program:
    head = ('"""Reports."""', "", "from __future__ import annotations", "", "from typing import TYPE_CHECKING", "")
    used = _used(program)
    others = [name for name in program.models if name not in used] or used
    imports = (
        f"from {program.package}.models import {', '.join(used)}\n\nif TYPE_CHECKING:\n    from {program.package}.models import {', '.join(others)}\n"
    )
    return replace(program, head=head, imports=imports)


# -------------------------------------------------------------------------------------------------------- what a file is
def _with_tabs(text: str) -> str:
    return re.sub(r"^(?: {4})+", lambda found: "\t" * (len(found[0]) // 4), text, flags=re.MULTILINE)


def _with_crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


def _latin(program: Program) -> Program:
    return replace(program, head=("# -*- coding: latin-1 -*-", 'ABOUT = "übér"; assert len(ABOUT) == 4'), encoding="latin-1")


def _finished(*changes: Callable[[str], str]) -> Shape:
    return lambda program: program.finished(*changes)


SHAPES: dict[str, Shape] = {
    **{f"chain: {style}": _styled(style) for style in STYLES},
    "parentheses": _of_query(lambda program: asked(program, f"(({program.query}))")),
    "walrus": _of_query(_walrus),
    "lambda": _before("wanted()", "wanted = lambda: {q}"),
    "conditional expression": _of_query(lambda program: asked(program, f"({program.query} if 1 < 2 else ())")),
    "implicit concatenation": _reworded(_concatenated),
    "trailing comma": _reworded(_with_arguments("{0},")),
    "comment in arguments": _reworded(_with_arguments("\n            {0},  # by key\n        ")),
    "*args, **kwargs": _inserted(Link("filter", ("*[]", "**{}")), Link("filter", ("*[]",))),
    "variable": _before("wanted", "wanted = {q}"),
    "annotated variable": _before("wanted", "wanted: object = {q}"),
    "non-ASCII before, a; b; c": _before("wanted", 'word = "über"; wanted = {q}; word += "ß"'),
    "two statements": _of_query(_refined),
    "line continuation": _of_query(_continued),
    "f-string": _formatted(nested=False),
    "f-string of 3.12": _formatted(nested=True),
    "query of a function": _of_query(_in_a_function),
    "query of another file": _of_query(_in_another_file),
    "sliced": _ended(Link("", (":5",)), Link("limit", ("5",))),
    "evaluated before": _of_query(_evaluated),
    "select_for_update": _inserted(Link("select_for_update"), Link("with_for_update")),
    "only": _inserted(Link("only", ('"title", "pages", "author"',)), Link("options", ("load_only(Ship.name, Ship.tons, Ship.line_id)",)), model=True),
    "defer": _inserted(Link("defer", ('"title"',)), Link("options", ("defer(Ship.name)",)), model=True),
    "values": _of_rows_no_more,
    "select_related()": _inserted(Link("select_related"), None),
    "select_related(…)": _inserted(Link("select_related", ('"editor"',)), Link("options", ("joinedload(Ship.charterer)",)), model=True),
    "prefetch_related(…)": _inserted(Link("prefetch_related", ('"reviews"',)), Link("options", ("selectinload(Ship.cargo)",)), model=True),
    "Prefetch(to_attr=…)": _inserted(Link("prefetch_related", ('Prefetch("reviews", to_attr="kept")',)), None, model=True),
    "iterator": _ended(Link("iterator"), Link("yield_per", ("5",))),
    "async function": _asynchronous,
    "async for": _of_query(_async_for),
    "nested function": _nested,
    "static method": _method,
    "decorator": _decorated,
    "with": _inside("with open('/dev/null'):"),
    "branch": _lone_branch,
    "try": _tried,
    "match": _inside("match [1, 2]:", "case [1, *others] if others:"),
    "loop around": _inside("for _ in (1,):"),
    "one-line suites": _one_line_suites,
    "a; b": _semicolons,
    "comments": _commented,
    "multi-line string before": _strings,
    "loop variable later": _used_later,
    "for … else": _loop_else,
    "names taken in the file": _taken_in_file,
    "names taken in the function": _taken_in_function,
    "import *": _star,
    "import module": _module,
    "import module as m": _alias,
    "import class as other": _renamed,
    "import of what is used": _only_needed,
    "import over lines": _over_lines,
    "import in the function": _in_function,
    "TYPE_CHECKING": _for_types,
    "tabs": _finished(_with_tabs),
    "CRLF": _finished(_with_crlf),
    "CRLF and tabs": _finished(_with_tabs, _with_crlf),
    "no final newline": lambda program: replace(program.finished(lambda text: text.rstrip("\n"))),
    "BOM": _finished(lambda text: "\ufeff" + text),
    "latin-1": _latin,
}
