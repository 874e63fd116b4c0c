"""Tables whose rows people make in the admin of a site alone, as far as the classes of the program tell.

admin.site.register(Rate)               an admin shows the table, or an editor of Wagtail does (`panels = […]`),
class RateForm(ModelForm): …            and no form, serializer or view of the site itself saves its rows
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ormlint.ir import nodes as ir
from ormlint.link.admin import find_registrations
from ormlint.link.names import ClassInfo, Program
from ormlint.link.schema import Model

_SAVING = ("CreateModelMixin", "UpdateModelMixin", "ModelFormMixin", "CreateView", "UpdateView", "CreateAPIView", "UpdateAPIView", "ModelViewSet")
_READING = ("Filter", "FilterSet", "Table", "ObjectType", "Node", "Index", "Document", "ListView", "DetailView", "ReadOnlyModelViewSet")
_EDITORS = ("ModelAdmin", "TabularInline", "StackedInline", "SnippetViewSet")
_EDITED = frozenset({"panels", "content_panels"})
_NAMING = ("model", "queryset", "serializer_class", "form_class")


def administered(program: Program, models: Iterable[Model], saving: Iterable[ClassInfo], left_out: Callable[[str], bool]) -> frozenset[Model]:
    """Returns the models that admins alone make rows of, by the classes of the program; `saving` are serializers that are given data."""
    editors = {cls for cls in program.all_classes() if cls.derives_from(*_EDITORS)}
    shown = {found.model.model for found in find_registrations(program)} | {model for model in models if model.attributes & _EDITED}
    shown.update(_named(program, cls, "model") for cls in editors if "model" in cls.bindings)
    if not shown:
        return frozenset()
    written = {model for cls in saving if (model := _model_of(program, cls)) is not None}
    for cls in program.all_classes():
        if not left_out(cls.module.path) and "admin" not in cls.module.name and cls not in editors:
            written.update(_saved_by(program, cls))
    return frozenset(model for model in shown - written if model is not None)


def _saved_by(program: Program, cls: ClassInfo) -> Iterator[Model]:
    if cls.model is not None or not (cls.externals or any(base.module.is_library for base in cls.mro)):
        return
    if "Meta" in cls.classes and not cls.derives_from("BaseSerializer") and not _only_reads(cls):
        model = _model_of(program, cls)
        if model is not None:
            yield model
    names = [name for name in _NAMING if name in cls.bindings]
    if names and not _only_reads(cls) and (cls.derives_from(*_SAVING) or cls.externals):
        for name in names:
            model = _named(program, cls, name)
            if model is not None:
                yield model


def _only_reads(cls: ClassInfo) -> bool:
    """Whether the classes that a class derives from are known to save nothing; of those that are not at hand their names tell."""
    if cls.derives_from(*_SAVING):
        return False
    return all(external.name.endswith(_READING) for external in cls.externals) and not any(base.name == "BaseModelForm" for base in cls.mro)


def _model_of(program: Program, cls: ClassInfo) -> Model | None:
    """Returns the model that the `Meta` of a form or a serializer names."""
    for ancestor in cls.mro:
        meta = ancestor.classes.get("Meta")
        if meta is not None and "model" in meta.bindings:
            return _named(program, meta, "model")
    return None


def _named(program: Program, cls: ClassInfo, name: str) -> Model | None:
    """Returns the model that an attribute of a class leads to: `model = Rate`, `queryset = Rate.objects.all()`, `form_class = RateForm`."""
    stmt = cls.bindings[name][-1]
    node = stmt.value if isinstance(stmt, ir.Assign) else None
    while isinstance(node, (ir.Call, ir.Attr)):
        found = program.resolve(node, cls.module) if isinstance(node, ir.Attr) else None
        if isinstance(found, ClassInfo):
            return found.model or _model_of(program, found)
        node = node.func if isinstance(node, ir.Call) else node.value
    found = program.resolve(node, cls.module) if node is not None else None
    return (found.model or _model_of(program, found)) if isinstance(found, ClassInfo) else None
