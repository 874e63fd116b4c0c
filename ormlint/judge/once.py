"""What several rules ask of a log is worked out once, and kept with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ormlint.run.log import QueryLog

Given = ParamSpec("Given")
Result = TypeVar("Result")


def once(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Keeps what a function of a log gives for the same arguments; the log is its last one, and nobody changes what is given."""

    @wraps(function)
    def known(*given: Given.args, **named: Given.kwargs) -> Result:
        log = given[-1]
        assert isinstance(log, QueryLog)
        assert not named
        key = (function, *given[:-1])
        if key not in log.known:
            log.known[key] = function(*given, **named)
        return log.known[key]  # type: ignore[return-value]

    return known
