"""Which of the lists that an endpoint gives is the one it is there for.

class BookList(ListView): …                        its object list
def books(): return jsonify(books)                 the response itself
def books(request): {"books": …, "tags": …}        the list the endpoint is called after; tags fill a drop-down
def create_book(request): {"books": …}             none: who writes a row chooses among others
"""

from __future__ import annotations

import re

from ormlint.run.log import Endpoint, QueryObject

MAIN_KEYS = frozenset({"", "object_list", "results", "data", "items", "rows", "result"})
WRITES = frozenset(
    {"create", "new", "add", "edit", "update", "change", "delete", "remove", "select", "choose", "choice", "form", "register", "report"}
)
EXPORTS = frozenset({"export", "download", "backup", "dump", "csv", "xlsx", "ics", "feed", "fixture", "health", "metric"})
SHORTEST_WORD = 3
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def is_export(endpoint: Endpoint, query: QueryObject) -> bool:
    """Whether an endpoint is called after what takes all rows away: an export, a feed."""
    return bool(_words(endpoint.name) & EXPORTS - _words(query.model.name if query.model is not None else ""))


def is_main(endpoint: Endpoint, query: QueryObject) -> bool:
    """Whether a query gives the list that an endpoint is there for."""
    words = _words(endpoint.name)
    writes = bool(words & WRITES)
    if not any(endpoint.keys):
        return not (writes and endpoint.framework == "django")
    if not MAIN_KEYS.isdisjoint(endpoint.keys):
        return True
    if writes:
        return False
    model = query.model.name if query.model is not None else ""
    if not model:
        return False
    # of `RoomBooking` the bookings are meant
    head = _singular(_WORDS.findall(model)[-1].lower())
    return head in words or model.lower() in endpoint.name.replace("_", "").lower()


def _words(name: str) -> set[str]:
    """Returns the words of a name in the singular."""
    found = (word.lower() for word in _WORDS.findall(name))
    return {_singular(word) for word in found if len(word) >= SHORTEST_WORD}


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
