"""The cells in which a fixer leaves what is reported, or nothing is reported at all: each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Left:
    """Why a cell is as it was; `codes` are the reports that it is about, all of them if there are none."""

    reason: str
    codes: frozenset[str] = frozenset()


def _parts(reason: str) -> Left:
    return Left(reason, frozenset({"ORM403"}))


_LOCKED = "nothing is reported: rows that are locked have to be loaded"
_LOADED = "nothing is reported: the rows are loaded anyway"
_FOLLOWED = "nothing is reported: `select_related()` follows every relation"
_NUMBER = "the count is kept in a variable, or stands in no test"
_TAKEN = "the name that it would import means something else there"
_LOOPS = ("bulk update", "update", "delete", "bulk create", "rows looked for", "link", "link of several", "unlink", "fetch before")
_FETCHES = ("fetch before, of a session", "fetch before, of a query", "fetch before, of a statement")
_VARIABLES = ("lambda", "variable", "annotated variable", "non-ASCII before, a; b; c")
_LOADING_LOOPS = ("join", "join of two", "class attribute", "manager", "serializer", "key", "form choices", "template")
_OPTIONS = (
    "joined option",
    "option of what is joined",
    "selectin option",
    "two options",
    "option of a select",
    "nested option",
    "defaultload",
    "detached row",
)
_LOADERS = ("loader with a limit", "loader of two collections", "loader of a stream", "delete with what belongs to it")
_FIGURES = ("figure", "figure by a subquery", "figure of existence", "figure in a template")
_CHOSEN = ("prefetch of chosen rows",)
_COUNTING = ("kept count", "len", "len test", "count test", "truth test", "kept rows", "kept row", "one of all", "aggregate")
_LISTING = ("column", "key of a select")
_SENDING = ("subquery", "subquery of a select", "subquery of a query")
_COUNTING_QUERIES = ("len of a query", "count test of a query", "one of all, of a query", "first of a select", "aggregate of a query")

_UNREAD = ("unread load", "unread option")
_ANSWERS, _BEFORE = ("answer", "answer of rows", "answer of a query"), ("ask before", "ask a select before")
_STAR = "what is imported with `*` may have the name of a function that is needed"
_BLOCKING = "the function is asynchronous"

_SIEVES = ("sieve", "sieve of a body", "sieve of a comprehension")
_SELECTED_SIEVES = ("sieve of a query", "sieve of a select")
_PARTS = ("parts", "parts of a query", "parts of a list", "parts of a select")
_LOADED_PARTS = ("parts and prefetch", "parts and an option")
_BLOCKS = ("block", "block of a session")

_RULES: tuple[tuple[tuple[str, ...], tuple[str, ...], Left], ...] = (
    (_LOADING_LOOPS, ("select_related()",), Left(_FOLLOWED)),
    (("join and prefetch",), ("select_related()",), Left(_FOLLOWED, frozenset({"ORM101"}))),
    (_FIGURES, ("conditional expression",), Left("other rows than those of the query may be walked")),
    (_FIGURES, ("select_for_update",), Left("rows that are locked cannot be grouped")),
    (("figure", "figure by a subquery", "figure in a template"), ("names taken in the file", "names taken in the function"), Left(_TAKEN)),
    (_CHOSEN, ("conditional expression",), Left("other rows than those of the query may be walked")),
    (_CHOSEN, ("select_for_update",), Left("the rows are locked")),
    (_CHOSEN, ("import *",), Left("the model of the chosen rows is not named in the file")),
    (("figure by a subquery", "figure of existence"), ("import *",), Left("the model of what is counted is not named in the file")),
    (("kept count", "column"), ("import *",), Left(_STAR)),
    ((*_COUNTING, *_COUNTING_QUERIES, "len of a select"), ("select_for_update",), Left(_LOCKED)),
    (("len", "len test", "truth test", "kept rows", "kept row", "one of all", "aggregate"), ("evaluated before",), Left(_LOADED)),
    (("kept count",), ("evaluated before",), Left(_LOADED)),
    (("kept count",), ("async function",), Left("the rows would be loaded in an asynchronous function")),
    ((*_ANSWERS, *_BEFORE), ("select_for_update",), Left(_LOCKED)),
    ((*_ANSWERS, *_BEFORE), ("async function",), Left(_BLOCKING)),
    (("answer of rows",), ("async for",), Left(_BLOCKING)),
    (_ANSWERS, ("chain: comments", "comment in arguments"), Left("a comment in the second query would be lost")),
    (("answer",), ("walrus",), Left("something else has the answer already")),
    (("answer", "answer of rows"), _VARIABLES[1:], Left("nothing is reported: the variable keeps it")),
    (("answer",), ("lambda", "query of a function", "query of another file"), Left("nothing is reported: a function gives the number")),
    (("answer",), ("conditional expression",), Left("the query is sent on some ways only")),
    ((*_ANSWERS[1:], "answer"), ("f-string",), Left("before Python 3.12 nobody knows where in an f-string an expression stands")),
    (("answer", "answer of rows", "ask before"), ("Prefetch(to_attr=…)",), Left("nothing is reported: the two may prefetch other rows")),
    (("answer of rows", "answer of a query"), ("iterator",), Left("the rows are not kept")),
    (("answer of rows",), ("evaluated before",), Left("nothing is reported: the variable keeps it")),
    (("answer of a query",), ("lambda", "conditional expression", "query of a function"), Left("it is not clear what gives a list")),
    (("ask a select before",), ("walrus",), Left("the loop makes the statement")),
    (_UNREAD, ("query of a function", "query of another file"), Left("nothing is reported: a function gives the query")),
    (("deferred column",), ("only",), Left("nothing is reported: the other `only()` names the column")),
    (("unread load",), ("evaluated before",), Left("nothing is reported: a row is used for more")),
    (("unread option",), ("evaluated before",), Left("nothing is reported: a row is used for more", frozenset({"ORM116"}))),
    (_UNREAD, ("loop variable later",), Left("nothing is reported: a row is used for more")),
    ((*_UNREAD, "unread join"), ("select_for_update",), Left("nothing is reported: the rows are locked")),
    (("copy",), ("evaluated before",), Left("nothing is reported: the queryset is used for more")),
    (("copy",), ("select_for_update",), Left(_LOCKED)),
    (("len of a query", "one of all, of a query"), ("evaluated before",), Left(_LOADED)),
    (("aggregate of a query",), ("evaluated before",), Left(_LOADED, frozenset({"ORM210"}))),
    (("count test of a query",), ("walrus", "conditional expression", *_VARIABLES), Left(_NUMBER)),
    (("count test",), ("conditional expression",), Left("something else than a query may stand there")),
    (("count test",), ("annotated variable",), Left("the annotation says what the variable is")),
    (
        ("count test", "count test of a query"),
        ("query of a function", "query of another file"),
        Left("nothing is reported: a function gives the number, to whoever calls it"),
    ),
    (("len of a query",), ("conditional expression",), Left("something else than a query may stand there")),
    (("truth test",), ("walrus",), Left("the rows are kept by the test")),
    (("truth test",), ("iterator",), Left("an iterator has no `exists()`, and is always true")),
    (("truth test", "truth of a manager"), ("async function",), Left("`exists()` would block the event loop")),
    (("contains", "contains not", "contains a value"), ("sliced",), Left("nothing is reported: the query has a limit")),
    (("contains", "contains not", "contains a value"), ("iterator",), Left("nothing is reported: the rows are fetched in portions")),
    (("contains", "contains not", "contains a value"), ("evaluated before",), Left(_LOADED)),
    (("contains", "contains not", "contains a value"), ("select_for_update",), Left(_LOCKED)),
    (("contains", "contains not", "contains a value"), ("conditional expression",), Left("something else than a query may stand there")),
    (("contains", "contains not", "contains a value"), ("async function",), Left("the statement would block the event loop")),
    (("contains", "contains a value"), ("f-string",), Left("before Python 3.12 nobody knows where in an f-string an expression stands")),
    (("contains", "contains not"), ("values",), Left("a dict is searched")),
    (("contains a value",), ("comment in arguments",), Left("a comment would be lost")),
    (("kept row",), ("comments",), Left("a comment stands where the row was fetched")),
    (
        ("one of all, of a query",),
        ("query of a function", "query of another file"),
        Left("nothing is reported: a function gives all rows as a list"),
    ),
    (
        ("len of a query",),
        ("query of a function", "query of another file"),
        Left("a function gives a list, which others may want"),
    ),
    (("one of all", "first of a select"), ("sliced",), Left("nothing is reported: the query has a limit")),
    (("aggregate of a query",), ("sliced",), Left("an aggregate of a query with a limit is one of all rows")),
    (("aggregate", "aggregate of a query", "len of a select", *_OPTIONS, *_LOADERS), ("names taken in the file",), Left(_TAKEN)),
    (("aggregate", "aggregate of a query", "len of a select", *_OPTIONS, *_LOADERS), ("names taken in the function",), Left(_TAKEN)),
    (("subquery",), ("annotated variable",), Left("the annotation says what the variable is")),
    (_SENDING, ("conditional expression",), Left("something else than a query may stand there")),
    (_SENDING, ("sliced",), Left("nothing is reported: the query has a limit")),
    (_SENDING, ("select_for_update",), Left("nothing is reported: the rows are locked")),
    (_SENDING, ("only", "defer"), Left("columns are left out of the rows")),
    (("subquery of a select", "subquery of a query"), ("select_related(…)", "prefetch_related(…)"), Left("the options are for whole rows")),
    (("subquery",), ("evaluated before",), Left(_LOADED)),
    (("subquery of a query",), ("evaluated before",), Left(_LOADED, frozenset({"ORM213"}))),
    (("subquery",), ("walrus",), Left("a variable keeps the query")),
    (("subquery",), ("values",), Left("dicts are given, which no query takes")),
    (("subquery of a query",), ("iterator",), Left("nothing is reported: the rows are fetched in portions")),
    (("truth of a query",), ("walrus", "conditional expression"), Left("something else than a query may stand there")),
    (("truth of a query",), ("select_for_update",), Left(_LOCKED)),
    (("awaited rows", "awaited function"), ("iterator",), Left("what `iterator()` gives is walked by no `async for`")),
    (("awaited row",), ("lambda", "query of a function", "query of another file"), Left("a function that is called sends the statement")),
    (_LISTING, ("conditional expression",), Left("something else than a query may stand there")),
    (_LISTING, ("sliced",), Left("nothing is reported: the query has a limit")),
    (_LISTING, ("select_for_update",), Left(_LOCKED)),
    (_LISTING, ("only", "defer"), Left("nothing is reported: the query names its columns")),
    (("column",), ("iterator",), Left("nothing is reported: an iterator says that the rows are many")),
    (("column",), ("evaluated before",), Left(_LOADED)),
    (_LISTING, ("f-string",), Left("before Python 3.12 nobody knows where in an f-string an expression stands")),
    (("key of a select",), ("select_related(…)", "prefetch_related(…)"), Left("an option that loads something is for whole rows")),
    (_LOOPS, ("async for",), Left("the loop fails at its first statement so far, which has to be awaited first")),
    (("commit", "flush"), ("for … else",), Left("what is written would have to stand before the `else`")),
    (("fetch before",), ("try",), Left("the `try` may wait for the row that does not exist")),
    (("commit",), ("try",), Left("the `try` may wait for the commit of a round")),
    (_FETCHES, ("iterator",), Left("the rows come in batches, to be let go of")),
    (("flush",), ("try",), Left("the `try` may wait for the flush of a round")),
    (("flush",), ("defer",), Left("nothing is reported: a round loads the column that was left out")),
    (("commit",), ("query of another file",), Left("nothing is reported: a function of another file gives the list")),
    (("detached row",), ("select_related(…)",), Left("nothing is reported: the other option may have loaded the row")),
    (_SIEVES, ("conditional expression",), Left("something else than a query may stand there")),
    ((*_SIEVES, *_SELECTED_SIEVES), ("sliced",), Left("nothing is reported: the query has a limit")),
    (_SIEVES, ("evaluated before",), Left(_LOADED)),
    (("sieve of a query",), ("evaluated before",), Left(_LOADED, frozenset({"ORM211"}))),
    ((*_SIEVES, *_SELECTED_SIEVES), ("select_for_update",), Left(_LOCKED)),
    (_SIEVES, ("iterator",), Left("nothing is reported: an iterator says that the rows are many")),
    ((*_SIEVES[:2], *_SELECTED_SIEVES), ("comments",), Left("a comment in the condition would be lost")),
    ((*_SIEVES[:2], *_SELECTED_SIEVES), ("for … else",), Left("nothing is reported: the `else` is done when all rows have been seen")),
    (("sieve of a comprehension",), ("f-string",), Left("before Python 3.12 nobody knows where in an f-string an expression stands")),
    (_SELECTED_SIEVES, ("walrus", "conditional expression"), Left("something else than the statement may stand there")),
    (("sieve of a query",), ("two statements",), Left("the query is made in several statements")),
    (("sieve of a query",), ("lambda", "query of a function", "query of another file"), Left("nothing is reported: a function gives the query")),
    (("sieve of a select",), ("lambda",), Left("a lambda makes the statement")),
    (("sieve of a select",), ("query of a function", "query of another file"), Left("nothing is reported: a function gives the statement")),
    (_BLOCKS, ("try",), Left("the `try` may count on the rows before an error")),
    (_BLOCKS, ("for … else",), Left("the block would end behind the `else`")),
    (("block of a session",), ("query of another file",), Left("nothing is reported: a function of another file gives the list")),
    (_PARTS, ("conditional expression",), Left("something else than a query may stand there")),
    (("parts of a list",), ("query of a function", "query of another file"), Left("nothing is reported: a function gives all rows as a list")),
    ((*_PARTS[:2], "parts of a select"), ("sliced",), Left("nothing is reported: the query has a limit")),
    (("parts", "parts of a list"), ("evaluated before",), Left(_LOADED)),
    (("parts of a query",), ("evaluated before",), _parts(_LOADED)),
    (_PARTS, ("select_for_update",), Left("nothing is reported: the rows are locked")),
    (_PARTS, ("only",), Left("nothing is reported: the query names its columns")),
    (("parts",), ("only",), _parts("nothing is reported: the query names its columns")),
    (_PARTS[:2], ("iterator",), Left("nothing is reported: the rows are fetched in portions")),
    (("endpoint",), ("lambda",), Left("nothing is reported: a function gives the number")),
    (_LOADED_PARTS, ("conditional expression",), _parts("something else than a query may stand there")),
    (_LOADED_PARTS, ("sliced",), _parts("nothing is reported: the query has a limit")),
    (_LOADED_PARTS[:1], ("evaluated before",), _parts(_LOADED)),
    (_LOADED_PARTS, ("select_for_update",), _parts("nothing is reported: the rows are locked")),
    (_LOADED_PARTS, ("only",), _parts("nothing is reported: the query names its columns")),
    (_LOADED_PARTS[:1], ("iterator",), _parts("nothing is reported: the rows are fetched in portions")),
    (("serializer",), ("f-string",), Left("before Python 3.12 nobody knows where in an f-string an expression stands")),
)

LEFT: Mapping[tuple[str, str], Left] = {(fixer, shape): left for fixers, shapes, left in _RULES for fixer in fixers for shape in shapes}
