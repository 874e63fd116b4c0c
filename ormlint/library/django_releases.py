"""What tells that a program runs on an old Django only: modules and names that later releases do not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ormlint.ir import nodes as ir

ASSUMED = (5, 2)
"""The release that a project is taken to run on if it does not say."""

PREFETCH_OBJECTS = (1, 7)
CASES = (1, 8)
SUBQUERIES = (1, 11)
FILTERED_AGGREGATES = (2, 0)
CHUNK_SIZES = (2, 0)
BULK_UPDATE = (2, 2)
CONTAINS = (4, 0)
UPDATE_CONFLICTS = (4, 1)
ITERATOR_PREFETCHES = (4, 1)

_LAST_WITH = {
    "django.conf.urls.defaults": (1, 5),
    "django.utils.simplejson": (1, 6),
    "django.utils.importlib": (1, 8),
    "django.contrib.contenttypes.generic": (1, 8),
    "django.db.models.get_model": (1, 8),
    "django.core.context_processors": (1, 9),
    "django.core.urlresolvers": (1, 11),
    "django.utils.six": (2, 2),
    "django.utils.encoding.python_2_unicode_compatible": (2, 2),
    "django.utils.translation.ugettext": (3, 2),
    "django.utils.translation.ugettext_lazy": (3, 2),
}
_FIRST_WITH = {
    "django.urls.path": (2, 0),
    "django.urls.re_path": (2, 0),
    "django.db.models.Exists": (1, 11),
    "django.db.models.OuterRef": (1, 11),
    "django.db.models.UniqueConstraint": (2, 2),
    "django.db.models.JSONField": (3, 1),
    "django.db.models.TextChoices": (3, 0),
}
_LAST_WITHOUT_ON_DELETE = (1, 11)
_RELATIONS = frozenset({"ForeignKey", "OneToOneField"})


def newest_that_runs(modules: Iterable[ir.Module]) -> tuple[int, ...]:
    """Returns the last series of Django that a program runs on, () if nothing in it says, or if other parts need a later one.

    An import counts where nothing catches its failure, a foreign key without `on_delete` in the body of a class.
    """
    signs = [sign for module in modules if module.language == "python" for sign in _signs(module)]
    newest = min((release for release, last in signs if last), default=())
    return newest if newest >= max((release for release, last in signs if not last), default=()) else ()


def _signs(module: ir.Module) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Yields the releases that are the last ones (True) or the first ones (False) to have what a module names."""
    of_django = False
    for stmt in module.body:
        match stmt:
            case ir.Import(level=0, module=name) if name.partition(".")[0] == "django":
                of_django |= name == "django.db"
                for full in (name, f"{name}.{stmt.name}"):
                    if full in _LAST_WITH:
                        yield _LAST_WITH[full], True
                    if full in _FIRST_WITH:
                        yield _FIRST_WITH[full], False
            case ir.Class() if of_django and any(map(_lacks_on_delete, stmt.body)):
                yield _LAST_WITHOUT_ON_DELETE, True
            case _:
                pass


def _lacks_on_delete(stmt: ir.Stmt) -> bool:
    match stmt:
        case ir.Assign(value=ir.Call(func=ir.Attr(value=ir.Name(id="models"), name=name), args=args, keywords=keywords)) if name in _RELATIONS:
            given = len(args) > 1 or any(isinstance(arg, ir.Star) for arg in args)
            return not given and not any(keyword in ("on_delete", "") for keyword, _ in keywords)
        case _:
            return False
