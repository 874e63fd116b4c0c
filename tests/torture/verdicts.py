"""What it means that a fixer leaves a cell as it is: that there is nothing to do, that it would not be sound, or that nobody has done it yet."""

from __future__ import annotations

import enum


class Verdict(enum.Enum):
    """Why a cell is left; the value is its mark before the number of the reason, and is explained in the matrix."""

    NOTHING = "-"
    REFUSED = ""
    OPEN = "?"


MEANING = {
    Verdict.NOTHING: "Nothing to do: the rule is rightly silent, or Python or the library has no such thing",
    Verdict.REFUSED: "Refused: the program may do another thing, or lose a comment or a name",
    Verdict.OPEN: "Not done yet: it could be, with more knowledge of the program or another layout",
}
_SILENT = "nothing is reported"
_NOTHING = """
a dict is searched
an iterator has no `exists()`, and is always true
dicts are given, which no query takes
rows that are locked cannot be grouped
the rows are not kept
what `iterator()` gives is walked by no `async for`
"""
_REFUSED = """
`exists()` would block the event loop
a comment in the condition would be lost
a comment in the second query would be lost
a comment stands where the row was fetched
a comment would be lost
a function gives a list, which others may want
a variable keeps the query
an aggregate of a query with a limit is one of all rows
an option that loads something is for whole rows
before Python 3.12 nobody knows where in an f-string an expression stands
columns are left out of the rows
other rows than those of the query may be walked
something else has the answer already
something else than a query may stand there
something else than the statement may stand there
the `try` may count on the rows before an error
the `try` may wait for the commit of a round
the `try` may wait for the flush of a round
the `try` may wait for the row that does not exist
the annotation says what the variable is
the block would end behind the `else`
the function is asynchronous
the loop fails at its first statement so far, which has to be awaited first
the model of the chosen rows is not named in the file
the model of what is counted is not named in the file
the name that it would import means something else there
the options are for whole rows
the query is sent on some ways only
the rows are kept by the test
the rows come in batches, to be let go of
the rows would be loaded in an asynchronous function
the statement would block the event loop
what is imported with `*` may have the name of a function that is needed
"""
_OPEN = """
a function that is called sends the statement
a lambda makes the statement
it is not clear what gives a list
nothing is reported: a function gives the number
nothing is reported: a function gives the query
nothing is reported: a function gives the statement
nothing is reported: a function of another file gives the list
the count is kept in a variable, or stands in no test
the loop makes the statement
the query is made in several statements
the rows are locked
what is written would have to stand before the `else`
"""
_LISTED = {
    reason: verdict
    for verdict, reasons in ((Verdict.NOTHING, _NOTHING), (Verdict.REFUSED, _REFUSED), (Verdict.OPEN, _OPEN))
    for reason in reasons.strip().split("\n")
}


def verdict_of(reason: str) -> Verdict:
    """Returns what a reason comes to. Raises KeyError if nobody has thought about it."""
    if reason not in _LISTED and reason.startswith(_SILENT):
        return Verdict.NOTHING
    return _LISTED[reason]


def unused(reasons: set[str]) -> set[str]:
    """Returns the listed reasons that are not among those given."""
    return _LISTED.keys() - reasons
