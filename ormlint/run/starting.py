"""Starting: by which names a function that nothing is seen to call can be started all the same.

class BookList(ListView)          a URL configuration names `BookList`
def discount(request)             it does as well, or a setting
def price(book)                   other programs may import it: no name is needed, unless tests call it and so stand for these
Book.sell(self)                   somebody names `sell`, in a template perhaps
@receiver(post_save) def …        whoever decorates it starts it: no name is needed
class Command(BaseCommand)        its framework starts it: no name is needed
"""

from __future__ import annotations

import re

from ormlint.ir import nodes as ir
from ormlint.library.functions import BACKGROUND_PLACES, ENTRANCES, WRAPPERS
from ormlint.link.names import ClassInfo, FunctionInfo, decorator_name
from ormlint.link.schema import Orm

_WORDS = re.compile(r"[^/_.]+")
_PLAIN = frozenset({"builtins", "abc", "typing", "typing_extensions"})
_MAPPERS = frozenset({"sqlalchemy", "flask_sqlalchemy", "sqlmodel"})
_SCHEMAS = frozenset({"pydantic"})
_NAMES_OF_SCHEMAS = frozenset({"dict", "json", "copy", "schema", "schema_json", "validate", "construct", "parse_obj", "parse_raw", "from_orm"})
_VIEW_PACKAGES = frozenset({"django", "rest_framework"})
_FIXED_NAMES = frozenset({
    "clean", "clean_fields", "validate_unique", "validate_constraints", "full_clean", "save", "save_base", "delete", "asave", "adelete",
    "get_absolute_url", "natural_key", "refresh_from_db", "get_queryset", "get_by_natural_key", "check", "from_db", "create_user",
    "create_superuser", "with_perm", "get_prefetch_queryset", "get_prefetch_querysets", "deconstruct", "contribute_to_class", "has_perm",
    "has_perms", "has_module_perms", "get_full_name", "get_short_name", "get_username", "get_session_auth_hash", "email_user",
    "get_user_permissions", "get_group_permissions", "get_all_permissions", "check_password", "set_password", "serializable_value",
    "unique_error_message", "date_error_message", "prepare_database_save", "get_deferred_fields", "get_constraints", "db_manager",
    "iterator", "aiterator", "count", "exists", "update", "create", "bulk_create", "in_bulk", "get_or_create", "update_or_create", "using",
    "complex_filter", "resolve_expression",
    "_add_hints", "_annotate", "_batched_insert", "_chain", "_clone", "_combinator_query", "_fetch_all", "_filter_or_exclude",
    "_filter_or_exclude_inplace", "_insert", "_iterator", "_merge_known_related_objects", "_next_is_sticky", "_prefetch_related_objects",
    "_prepare_for_bulk_create", "_raw_delete", "_update", "_values",
    "_do_insert", "_do_update", "_get_pk_val", "_get_unique_checks", "_is_pk_set", "_perform_date_checks", "_perform_unique_checks",
    "_save_parents", "_save_table", "_set_pk_val",
})  # fmt: skip
"""Methods of models, managers and QuerySets that Django calls."""


def names_to_start(function: FunctionInfo, receiver: ClassInfo | None, is_tested: bool = False) -> tuple[str, ...]:
    """Returns names of which each must stand somewhere for a function to be started, as a method of `receiver` if it is called on an object.

    `is_tested` tells that tests call it. There are no names where a framework, a decorator or a command line may start it.
    """
    cls = receiver or function.owner
    if cls is not None and is_view(cls):
        return (cls.name,) if all(_only_wraps(node) for c in cls.mro if not c.module.is_library for node in c.node.decorators) else ()
    name = function.name
    nested = function.qualname != (f"{function.owner.qualname}.{name}" if function.owner is not None else name)
    if nested or name in ENTRANCES or name.startswith("__") or not all(_only_wraps(node) for node in function.node.decorators):
        return ()
    if cls is None:
        return (name,) if not is_in_background(function) and (is_tested or name.startswith("_") or _answers_request(function)) else ()
    own = [c for c in cls.mro if not c.module.is_library]
    is_mapped = cls.model is not None and cls.model.orm is Orm.SQLALCHEMY
    # the base of `class Book(db.Model)` need not be known
    if any(c.node.decorators or (None in c.bases and not is_mapped) for c in own):
        return ()
    if cls.model is not None or cls.derives_from("Manager", "QuerySet"):
        mapper = _MAPPERS if is_mapped else {"django"}
        known = all(external.package in _PLAIN | mapper for external in cls.externals)
        return (name,) if known and name not in _FIXED_NAMES else ()
    packages = {*(c.module.name.partition(".")[0] for c in cls.mro if c.module.is_library), *(external.package for external in cls.externals)}
    if not packages <= _PLAIN | _SCHEMAS or any(key == "metaclass" for c in cls.mro for key, _ in c.node.keywords):
        return ()
    if not _SCHEMAS.isdisjoint(packages) and (name.startswith("model_") or name in _NAMES_OF_SCHEMAS):
        return ()
    # `__subclasses__()` and the like find a class by its base
    return (name,) if len(own) > 1 else (cls.name, name)


def is_view(cls: ClassInfo) -> bool:
    """Whether a class is a view of Django or REST framework, and derives from nothing else that is not known."""
    if any(None in c.bases for c in cls.mro if not c.module.is_library):
        return False
    ancestors = [c for c in cls.mro if c.module.is_library]
    known = [*((c.module.name.partition(".")[0], c.name) for c in ancestors), *((external.package, external.name) for external in cls.externals)]
    if any(package not in _VIEW_PACKAGES | _PLAIN for package, _ in known):
        return False
    return any(
        name in ("View", "APIView", "GenericAPIView") or name.endswith(("View", "ViewSet")) for package, name in known if package in _VIEW_PACKAGES
    )


def _answers_request(function: FunctionInfo) -> bool:
    """Whether a function is a view by its first parameter; others of a module may be there for other programs."""
    return bool(function.node.params) and function.node.params[0].name == "request"


def is_in_background(function: FunctionInfo) -> bool:
    """Whether a function that nobody is seen to call stands where those stand that are started by name."""
    return not BACKGROUND_PLACES.isdisjoint(_WORDS.findall(function.module.path.removesuffix(".py")))


def _only_wraps(node: ir.Expr_) -> bool:
    """Whether a decorator leaves it to others to call what it decorates."""
    return decorator_name(node) in WRAPPERS
