"""The pages of Django's admin: every registered ModelAdmin is run like a view, by the program of the framework in the library.

    list     ChangeList(…) as get_changelist_instance() makes it, then one row after the other, column by column
    export   what the resources of django-import-export show of the rows of the list, all pages of it

An admin class whose bases are not part of the project nor of the library is taken for a ModelAdmin that changes nothing about
lists if it is of a package known to leave them alone; otherwise its pages are not run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.library.admin_packages import LEAVE_LISTS_ALONE, LISTLESS
from ormlint.link.admin import Registration, find_registrations, is_never_shown, never_deletes, overrides_register
from ormlint.link.names import ClassInfo, FunctionInfo
from ormlint.problem import Problem
from ormlint.run.calls import unknown_arguments
from ormlint.run.frame import Frame
from ormlint.run.introspection import constants_in
from ormlint.run.log import AdminList, Joins, LoadKind, QueryObject
from ormlint.run.machine import Machine
from ormlint.run.roots import internal_error
from ormlint.run.values import UNKNOWN, Constant, Instance, Sequence, Value
from ormlint.text import Site

ADMIN = "django.contrib.admin"
_LIST_PAGES = frozenset({"super", "changelist_view", "get_urls", "get_changelist_instance", "get_changelist"})


def run_admin(m: Machine) -> list[Problem]:
    """Runs the pages of every admin of the project; returns failures inside ormlint."""
    problems: list[Problem] = []
    registrations = list(find_registrations(m.program)) if not is_never_shown(m.program) else []
    models = Counter(id(registration.cls) for registration in registrations)
    deletes = not never_deletes(m.program) if registrations else True
    takes_options = not overrides_register(m.program)
    for registration in registrations:
        cls = _admin_class(m, registration)
        if cls is None or _has_no_list(cls):
            continue
        try:
            for page in _lists(m, registration, cls, deletes):
                page.takes_options = takes_options
                page.is_shared = registration.cls is not None and (models[id(registration.cls)] > 1 or bool(registration.cls.subclasses))
                m.admin_lists.append(page)
        except Exception as failure:  # reported as an internal error with its place; the other admins are still examined
            problems.append(internal_error(registration.site.path, 1, cls.qualname, failure))
    return problems


def _admin_class(m: Machine, registration: Registration) -> ClassInfo | None:
    """Returns the class of a registered admin, in front of Django's own."""
    base = m.program.library[f"{ADMIN}.options"].classes["ModelAdmin"]
    cls = _class_of(registration.cls, base) if registration.cls is not None else base
    return _with_options(cls, registration) if cls is not None and registration.options else cls


def _has_no_list(cls: ClassInfo) -> bool:
    """Whether a class of the project replaces the addresses of an admin, or its list page, and does not go back to Django's own."""
    if cls.derives_from(*LISTLESS):
        return True
    for name in ("get_urls", "changelist_view"):
        method = cls.method(name)
        if method is not None and not method.module.is_library and _LIST_PAGES.isdisjoint(_names_in(cls, method)):
            return True
    return False


def _names_in(cls: ClassInfo, method: FunctionInfo) -> Iterator[str]:
    """Yields the names in a method and in those of the project that it calls on its object: `self.own_urls()`, but not the view `self.preview`."""
    found = [method]
    for each in found:
        for node in walk(each.node.body):
            if isinstance(node, ir.Name):
                yield node.id
            elif isinstance(node, ir.Attr):
                yield node.name
            elif isinstance(node, ir.Call) and isinstance(node.func, ir.Attr) and isinstance(node.func.value, ir.Name):
                further = cls.method(node.func.name)
                if further is not None and not further.module.is_library and further not in found:
                    found.append(further)


def _class_of(cls: ClassInfo, base: ClassInfo) -> ClassInfo | None:
    if base in cls.mro and not cls.externals:
        return cls
    if any(external.package not in LEAVE_LISTS_ALONE and external.path != "builtins.object" for external in cls.externals):
        return None
    if base in cls.mro:
        return cls
    own = tuple(c for c in cls.mro if c not in base.mro)
    return ClassInfo(cls.node, cls.module, cls.qualname, cls.bindings, cls.functions, cls.classes, cls.bases, (*own, *base.mro), cls.externals)


def _with_options(cls: ClassInfo, registration: Registration) -> ClassInfo:
    """Returns the subclass that Django makes of an admin class for the settings of a call of `register()`."""
    settings: dict[str, list[ir.Stmt]] = {
        name: [ir.Assign(value.start, value.end, [ir.Name(value.start, value.start, name)], value)] for name, value in registration.options.items()
    }
    made = ClassInfo(cls.node, registration.source or registration.module, cls.qualname, settings, bases=(cls,), externals=cls.externals)
    made.mro = (made, *cls.mro)
    return made


def _lists(m: Machine, registration: Registration, cls: ClassInfo, deletes: bool) -> Iterator[AdminList]:
    """Runs the list page of an admin; yields what it is."""
    site = Instance(m.program.library[f"{ADMIN}.sites"].classes["AdminSite"], initialised=True)
    if not deletes:
        site.attributes["actions"] = Sequence("list", items=())
    admin = Instance(cls, {"model": registration.model, "admin_site": site}, initialised=True)
    make = cls.method("get_changelist_instance")
    assert make is not None
    changes = _run(m, registration, make, {make.node.params[0].name: admin})
    if not isinstance(changes, Instance):
        return
    results = m.program.library[f"{ADMIN}.templatetags.admin_list"].functions["results"]
    _run(m, registration, results, {"cl": changes})
    export = cls.method("export_action") if cls.derives_from("BaseExportMixin") else None
    if export is not None and export.module.is_library:
        _run(m, registration, export, {export.node.params[0].name: admin})
    own, shown = changes.attributes.get("root_queryset"), changes.attributes.get("result_list")
    model = registration.model.model
    if isinstance(own, QueryObject) and isinstance(shown, QueryObject) and model is not None:
        per_page = changes.attributes.get("list_per_page")
        yield AdminList(
            registration.cls.name if registration.cls is not None else model.name,
            registration.site,
            model,
            own,
            shown,
            _joins(own, changes.attributes.get("list_select_related"), cls),
            _setting(cls if "list_select_related" in registration.options else registration.cls),
            tuple(str(c.value) for c in constants_in(changes.attributes.get("list_display", UNKNOWN))),
            _joined(m, shown, changes.attributes.get("list_select_related")),
            per_page.value if isinstance(per_page, Constant) and isinstance(per_page.value, int) else None,
            registration.cls is None,
        )


def _joins(own: QueryObject, setting: Value | None, cls: ClassInfo) -> Joins:
    if own.has("select_related") or any(entry.kind is LoadKind.JOIN for entry in own.plan.loaded.values()):
        return Joins.QUERYSET
    method = cls.method("get_list_select_related")
    if method is None or not method.module.is_library:
        return Joins.UNKNOWN
    match setting:
        case Constant(value=False):
            return Joins.AUTOMATIC
        case Constant(value=True):
            return Joins.EVERY
        case Sequence():
            return Joins.NAMED
        case _:
            return Joins.UNKNOWN


def _joined(m: Machine, shown: QueryObject, setting: Value | None) -> tuple[str, ...]:
    """Returns the lookup paths that `list_select_related` names, and those that the list joins and reads."""
    named = [str(c.value) for c in constants_in(setting)] if isinstance(setting, Sequence) else []
    return tuple(dict.fromkeys((*named, *("__".join(path) for path in m.used_loads.get(shown, ())))))


def _setting(cls: ClassInfo | None) -> Site | None:
    """Returns the place of the value that a class itself gives `list_select_related`, or None."""
    stmt = cls.bindings.get("list_select_related", [None])[-1] if cls is not None else None
    return cls.module.site(stmt.value) if cls is not None and isinstance(stmt, ir.Assign) and stmt.value is not None else None


def _run(m: Machine, registration: Registration, function: FunctionInfo, given: dict[str, Value]) -> Value | None:
    frame = Frame(registration.module, f"{registration.module.name}:<admin>", owner=registration.cls)
    env = {**unknown_arguments(m, function), **given}
    m.keep.append(env)
    site = registration.site
    node = ir.Name(site.start, site.end, function.name)
    summary = m.run_function(function, env, ("admin", id(env)), depth=1, caller=frame, node=node)
    return summary.returned if summary is not None else None


__all__ = ["run_admin"]
