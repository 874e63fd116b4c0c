"""What the methods of Django's QuerySet and Manager do.

Source: django.db.models.query (4.2 to 6.1), and measurements with query counting on SQLite. The asynchronous twin
`a<name>` of a method does the same to the database. Other packages' methods stand here if QuerySet has none of that name.
"""

LAZY = frozenset({
    "all", "filter", "exclude", "complex_filter", "order_by", "reverse", "distinct", "annotate", "alias", "values", "values_list", "dates",
    "datetimes", "none", "select_related", "prefetch_related", "only", "defer", "using", "extra", "select_for_update", "union", "intersection",
    "difference", "raw", "fetch_mode", "get_queryset", "_clone", "_chain", "iterator",
    "select_subclasses",  # of django-model-utils: each row as an object of the class below, which a join to its table fills
})  # fmt: skip
ONE_ROW = frozenset({"get", "first", "last", "latest", "earliest"})
NUMBERS = {"count": "count", "exists": "exists", "contains": "exists", "aggregate": "aggregate", "explain": "aggregate"}
WRITES = frozenset({
    "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "update", "delete", "add", "remove", "set", "clear",
})  # fmt: skip
ALL = LAZY | ONE_ROW | frozenset(NUMBERS) | WRITES | {"in_bulk"}
ASYNC = frozenset({
    "aget", "afirst", "alast", "alatest", "aearliest", "acount", "aexists", "acontains", "aaggregate", "aexplain", "acreate", "aget_or_create",
    "aupdate_or_create", "abulk_create", "abulk_update", "aupdate", "adelete", "aadd", "aremove", "aset", "aclear", "ain_bulk", "aiterator",
})  # fmt: skip
COROUTINES = ASYNC | {"asave", "adelete", "arefresh_from_db", "aget_object_or_404", "aget_list_or_404"}
"""Methods and functions that run their statement when their result is awaited."""
ANSWERING = (
    "exists", "count", "__bool__", "__len__", "__iter__", "__getitem__", "_fetch_all", "iterator", "_iterator", "values", "_values", "values_list",
)  # fmt: skip
"""What a QuerySet class overrides to say itself whether there are rows, how many, and which."""

LOADING = ("select_related", "prefetch_related")
"""What a QuerySet class overrides to say itself what is loaded along."""

CLASSES = frozenset({"django.db.models.QuerySet", "django.db.models.query.QuerySet"})
"""What imports call the class itself."""
MANAGER_CLASSES = frozenset({"_manager_class"})
"""Keywords by which a function that makes a manager is given its class."""
TUPLES = frozenset({"values", "values_list", "dates", "datetimes"})
USE_PREFETCH_CACHE = frozenset({"all", "count", "exists", "contains", "none", "get_queryset"})
"""Methods of a prefetched related manager that are answered from the rows at hand (`first` too, if they are ordered)."""


def canonical(name: str) -> str | None:
    """Returns the name of the synchronous method that a method name means, or None if QuerySet has no such method."""
    if name in ALL:
        return name
    return name[1:] if name in ASYNC else None


# fmt: off
NO_KEYS = frozenset((
    "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex", "iregex", "gt", "gte", "lt", "lte",
    "range", "isnull", "overlap", "contained_by", "has_key", "has_keys", "has_any_keys", "search", "not",
))
# fmt: on
"""Ends of lookups that ask for no one value, so that no row is looked up by it."""
