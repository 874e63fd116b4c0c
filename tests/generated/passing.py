"""Draws how a query gets from where it is built to those who read its rows: returned, kept, memoised, passed on to functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy], object]
IMPORTS = "from functools import cached_property, lru_cache\n"


@dataclass(frozen=True)
class Way:
    """How readers get at a query's rows.

    `definitions` stand in the module `rows`, `before` begins every function that reads, `rows` is the expression of the rows there.
    `is_query` tells that it gives a query still, not its rows.
    """

    definitions: str
    before: str
    rows: str
    is_query: bool = True


def ways(number: int, query: str, session: str) -> list[Way]:
    """Returns the ways of the query with an expression; `session` is the name that it needs besides, "" for none."""
    name, shelf, kept = f"rows_{number}", f"Shelf_{number}", f"KEPT_{number}"
    also, first = (f", {session}", f"{session}, ") if session else ("", "")
    taken = f"\n    def __init__(self{also}):\n        self.session = {session}\n" if session else ""
    unpacked = f"        {session} = self.session\n" if session else ""
    called, made = f"rows.{name}({session})", f"    shelf = rows.{shelf}({session})\n"
    test = f"    if 'found' not in {kept}:\n        {kept}['found'] = {query}\n    return {kept}['found']\n"

    def method(decorator: str) -> str:
        return f"class {shelf}:{taken}\n{decorator}    def found(self):\n{unpacked}        return {query}\n"

    return [
        Way(f"def {name}({session}):\n    return {query}\n", "", called),
        Way(f"def {name}({session}):\n    return {query}\n", f"    found = {called}\n", "found"),
        Way(f"def made_{number}({session}):\n    return {query}\n\n\ndef {name}({session}):\n    return made_{number}({session})\n", "", called),
        Way(f"def {name}({first}found=None):\n    if found is None:\n        found = {query}\n    return found\n", "", called),
        Way(f"class {shelf}:\n    def __init__(self{also}):\n        self.found = {query}\n", made, "shelf.found"),
        Way(method(""), made, "shelf.found()"),
        Way(method("    @property\n"), made, "shelf.found"),
        Way(method("    @cached_property\n"), made, "shelf.found"),
        Way(f"@lru_cache(maxsize=None)\ndef {name}({session}):\n    return {query}\n", f"    rows.{name}.cache_clear()\n", called),
        Way(f"{kept} = {{}}\n\n\ndef {name}({session}):\n{test}", f"    rows.{kept}.clear()\n", called),
        Way(
            f"class {shelf}:\n    pass\n\n\ndef {name}(shelf{also}):\n    if not hasattr(shelf, 'found'):\n        shelf.found = {query}\n"
            "    return shelf.found\n",
            f"    shelf = rows.{shelf}()\n",
            f"rows.{name}(shelf{also})",
        ),
        Way(f"def {name}({session}):\n    return list({query})\n", "", called, is_query=False),
        Way(f"def {name}({session}):\n    return list({query})\n", f"    found = {called}\n", "found", is_query=False),
        Way(f"def {name}({session}):\n    yield from {query}\n", "", called, is_query=False),
        Way(f"def {name}({session}):\n    return {{row.{{key}}: row for row in {query}}}\n", "", f"{called}.values()", is_query=False),
    ]


@dataclass(frozen=True)
class Words:
    """How an ORM spells what passing on needs: the primary key, and methods that refine a query, which take no model."""

    key: str
    refinements: tuple[str, ...]


@st.composite
def passed_on(draw: Draw, number: int, way: Way, words: Words) -> tuple[str, list[str]]:
    """Draws a function that the rows are passed to on their way, and what the readers walk over; some pass them there, some do not."""
    refined = f"found{draw(st.sampled_from(words.refinements))}" if way.is_query and words.refinements else "found"
    forms = [
        f"    return {refined}\n",
        "    return list(found)\n",
        "    return [row for row in found]\n",
        f"    found = {refined}\n    return found\n",
    ]
    definition = f"def page_{number}(found):\n{draw(st.sampled_from(forms))}"
    through = f"rows.page_{number}({way.rows})"
    return definition, draw(st.sampled_from([[way.rows], [through], [way.rows, through]]))


@st.composite
def readers(draw: Draw, source: str, reads: str, key: str) -> str:
    """Draws statements that walk over rows: with what is `reads` of `{x}`, without, in part, or leaving something on the rows."""
    each = reads.format(x="row")
    return draw(
        st.sampled_from(
            [
                f"    for row in {source}:\n        print({each})\n",
                f"    for row in {source}:\n        print({each})\n",
                f"    print([({each},) for row in {source}])\n",
                f"    for row in {source}:\n        if row.{key} > 3:\n            print({each})\n",
                f"    for row in {source}:\n        print(row.{key})\n",
                f"    print(sorted(row.{key} for row in {source}))\n",
                f"    print(len(list({source})))\n",
                f"    for row in {source}:\n        print(getattr(row, 'mark', 0))\n        row.mark = 1\n",
                f"    for row in {source}:\n        if getattr(row, 'mark', 1):\n            print({each})\n",
                f"    for row in {source}:\n        print(row.{key})\n        break\n",
                f"    if {source}:\n        print('some')\n",
                f"    print(len({source}))\n",
                f"    print(len({source}) == 0)\n",
            ]
        )
    )


@st.composite
def shown_by(draw: Draw, number: int, source: str, reads: str, key: str) -> tuple[str, str]:
    """Draws a function that gets the rows and reads them if it is told to, and a call of it."""
    each = reads.format(x="row")
    definition = f"def show_{number}(found, deep):\n    for row in found:\n        print(row.{key})\n        if deep:\n            print({each})\n"
    return definition, f"    rows.show_{number}({source}, {draw(st.sampled_from(['True', 'False', 'len([]) == 0', 'len([1]) == 0']))})\n"


@st.composite
def cases(draw: Draw, number: int, query: str, reads: list[str], session: str, words: Words, helpers: list[str]) -> str:
    """Draws functions `case_…` that read the rows of one query; what it passes on its way is added to the helpers."""
    way = draw(st.sampled_from(ways(number, query, session)))
    helpers.append(way.definitions.replace("{key}", words.key))
    definition, sources = draw(passed_on(number, way, words))
    if any(f"page_{number}" in source for source in sources):
        helpers.append(definition)
    functions = []
    for part in range(draw(st.integers(1, 2))):
        body = way.before
        for _ in range(draw(st.integers(1, 3))):
            source = draw(st.sampled_from(sources))
            chosen = ", ".join(draw(st.lists(st.sampled_from(reads), min_size=1, max_size=2, unique=True)))
            if draw(st.integers(0, 5)) == 0 and f"def show_{number}" not in "".join(helpers):
                shown, statement = draw(shown_by(number, source, chosen, words.key))
                helpers.append(shown)
                body += statement
            else:
                body += draw(readers(source, chosen, words.key))
        functions.append(f"def case_{number}_{part}({session}):\n{body}")
    return "\n\n".join(functions)


@st.composite
def of_two_models(draw: Draw, number: int, queries: list[str], reads: list[list[str]], session: str, words: Words, helpers: list[str]) -> str:
    """Draws functions `case_…` that give the queries of two models to one function, and read what it returns."""
    refined = f"found{draw(st.sampled_from(words.refinements))}" if words.refinements else "found"
    forms = [f"    return {refined}\n", f"    found = {refined}\n    return found\n", "    return list(found)\n", "    return found\n"]
    helpers.append(f"def page_{number}(found):\n{draw(st.sampled_from(forms))}")
    functions = []
    for part, (query, of_rows) in enumerate(zip(queries, reads, strict=True)):
        chosen = ", ".join(draw(st.lists(st.sampled_from(of_rows), min_size=1, max_size=2, unique=True)))
        functions.append(f"def case_{number}_{part}({session}):\n" + draw(readers(f"rows.page_{number}({query})", chosen, words.key)))
    return "\n\n".join(functions)
