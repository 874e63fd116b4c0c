"""Unnamed code: what nothing calls, no framework starts, and nobody names, so that what it wastes costs nothing.

class OldList(ListView)    no URL configuration has it, and the word stands nowhere else in the project

That holds for a site, whose settings say which URLs it has, or which answers requests with rows of SQLAlchemy or migrates its tables; the
functions of a package or of a few files are there for others. What only a test, a comment or an example in a docstring names is not started by that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ormlint.judge.finding import Mark, Report
from ormlint.judge.project import Project
from ormlint.link.schema import Orm
from ormlint.run.log import Endpoint, QueryLog

_DEFINED = re.compile(r"(?:def|class)\s+$")
_LONGEST = 12  # characters of `class` or `def` and some blanks before a name
_FILLED_IN = 2  # words at most that a text is filled in with
_EXAMPLES = ("# ", ">>> ", "... ")
_ROUTES = "urls"
_SITE = "ROOT_URLCONF"


class Unnamed:
    """Which functions of a program nothing can start, as far as its texts tell."""

    def __init__(self, project: Project, log: QueryLog, texts: Mapping[str, str], paths: Iterable[str]) -> None:
        """`paths` are those of the files whose names count."""
        self._is_site = (
            _SITE in project.settings or any(_answers(endpoint) for endpoint in project.endpoints) or any(model.migrated for model in project.schema)
        )
        self._functions = log.functions
        self._texts = texts
        # those are asked first that name most, so that few texts are loaded
        self._paths = sorted(paths, key=lambda path: (_ROUTES not in path, path))
        self._named: dict[str, bool] = {}
        self._unstarted: dict[str, bool] = {}

    def holds(self, report: Report) -> bool:
        """Whether a report is about what stands in a function that nothing can start; its query may be one of several."""
        if not self._is_site:
            return False
        places = (report.site, *(label.site for label in report.labels if label.mark is not Mark.QUERY))
        return any(self._is_unstarted(function) for function in {self._functions.around(place) for place in places} if function)

    def _is_unstarted(self, function: str) -> bool:
        known = self._unstarted.get(function)
        if known is None:
            starts = self._functions.names_to_start(function)
            known = bool(starts) and all(starts) and all(any(not self._is_named(name) for name in names) for names in starts)
            self._unstarted[function] = known
        return known

    def _is_named(self, name: str) -> bool:
        """Whether a name stands somewhere besides where it is defined, or a text that it may be put together of."""
        known = self._named.get(name)
        if known is None:
            whole, part = re.compile(rf"\b{re.escape(name)}\b"), _part(name)
            known = self._named[name] = any(_stands_in(self._texts[path], name, whole, part) for path in self._paths)
        return known


def _answers(endpoint: Endpoint) -> bool:
    return endpoint.query is not None and endpoint.query.orm is Orm.SQLALCHEMY


def _stands_in(text: str, name: str, whole: re.Pattern[str], part: Part | None) -> bool:
    if name in text and any(not _is_idle(text, found.start()) for found in whole.finditer(text)):
        return True
    # to look for a piece of text is many times as fast as to look for what an expression matches
    return part is not None and any(piece in text for piece in part.pieces) and part.pattern.search(text) is not None


def _is_idle(text: str, place: int) -> bool:
    """Whether a name only stands where it is defined, in a comment or in an example."""
    line = text[text.rfind("\n", 0, place) + 1 : place].lstrip()
    return line.startswith(_EXAMPLES) or _DEFINED.search(text, max(0, place - _LONGEST), place) is not None


class Part(NamedTuple):
    """The beginnings and ends of a name that may stand in a text which is filled in, and what finds them there."""

    pieces: tuple[str, ...]
    pattern: re.Pattern[str]


def _part(name: str) -> Part | None:
    """Returns what finds the beginning or the end of a name in a text that is filled in: `f"export_{kind}"`, `"%s_view" % kind`, `"get_" + kind`."""
    words = name.strip("_").split("_")
    begins = ["_".join(words[:length]) + "_" for length in range(max(1, len(words) - _FILLED_IN), len(words))]
    ends = ["_" + "_".join(words[length:]) for length in range(1, min(_FILLED_IN + 1, len(words)))]
    if not begins:
        return None
    either = "|".join(map(re.escape, begins)), "|".join(map(re.escape, ends))
    pattern = re.compile(rf"""["'](?:{either[0]})(?:["'{{]|%s)|(?:["'}}]|%s)(?:{either[1]})["']""")
    # every beginning begins with the shortest one, and every end ends with it
    return Part(tuple(piece for quote in "\"'" for piece in (f"{quote}{begins[0]}", f"{ends[-1]}{quote}")), pattern)
