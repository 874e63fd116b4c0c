"""Forms: a field that chooses among rows shows each of them as a text when the form is rendered.

    class BookForm(ModelForm):                                  the declared fields, those of ancestors included, and those that are
        shop = ModelChoiceField(Shop.objects.all())             made for the relations of `Meta.model` that `Meta.fields` names
        class Meta:
            model = Book
            fields = ["title", "author"]

    self.fields["author"].queryset = Author.objects.filter(…)   what `__init__` sets and takes out is run like any other code

What a field runs happens at the place where it is declared. Widgets that are not Django's lists of choices show nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import ClassInfo, External, ModuleInfo
from ormlint.link.schema import Kind, Orm
from ormlint.link.templates import TemplateInfo
from ormlint.run.attributes import default_manager
from ormlint.run.calls import call, call_function, construct, replace_frame
from ormlint.run.frame import Frame
from ormlint.run.log import QueryObject
from ormlint.run.loops import make_loop
from ormlint.run.machine import Machine
from ormlint.run.recipes import opaque
from ormlint.run.serializers import EVERYTHING, texts_of
from ormlint.run.values import NONE, UNKNOWN, Closure, Instance, Manager, Mapping, Row, Value, options

MODULE = "django.forms.models"
SELECTS = frozenset({"Select", "SelectMultiple", "RadioSelect", "CheckboxSelectMultiple"})
RENDERING = frozenset({"as_p", "as_ul", "as_table", "as_div", "as_widget", "render", "visible_fields"})
WHOLE = ""
CHOSEN = frozenset({Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.MANY_TO_MANY})

Place = tuple[ModuleInfo, ir.Node]


def choice_fields(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the fields of a new form that choose among rows, by name."""
    from ormlint.run.django import manager_method

    form = args[0] if args else UNKNOWN
    if not isinstance(form, Instance):
        return Mapping()
    found: dict[str, Value] = {}
    m.keep.append(form)
    for name, (field, place) in _fields(m, form.cls).items():
        m.form_fields[id(form), name] = place
        attributes = dict(field.attributes)
        rows = attributes.get("queryset")
        if isinstance(rows, Manager):
            attributes["queryset"] = manager_method(m, _at(f, form, name, place), _queryset(place[1]), rows, "all", [], {})
        found[name] = Instance(field.cls, attributes, initialised=True)
    return Mapping(found)


def _at(f: Frame, form: Instance, name: str, place: Place) -> Frame:
    """Returns a frame that records into the given one, at the place of a field."""
    where = Frame(place[0], f"{place[0].name}:{form.cls.qualname}.{name}", owner=form.cls)
    at = replace_frame(f, where, {})
    at.qualname, at.remembered, at.left, at.loop_ids = where.qualname, f.remembered, f.left, f.loop_ids
    return at


def _queryset(node: ir.Node) -> ir.Call:
    return ir.Call(node.start, node.end, ir.Name(node.start, node.end, "queryset"), [], [])


def show_forms(m: Machine, f: Frame, template: TemplateInfo, env: dict[str, Value]) -> None:
    """Shows the choices of the forms among the variables that a template reads."""
    scope = m.templates.scope(template)
    for name, value in env.items():
        if name in scope.names:
            for option in options(value):
                if isinstance(option, Instance) and option.cls.derives_from("BaseForm"):
                    _show(m, f, option, _shown(m, template, name))


def _shown(m: Machine, template: TemplateInfo, variable: str) -> frozenset[str]:
    """Returns the fields of a form that a template and those it includes write out; `WHOLE` if it leaves that to the form."""
    found: frozenset[str] = frozenset()
    for info in m.templates.reached(template):
        known = m.written_out.get(info.path)
        if known is None:
            known = m.written_out[info.path] = _written_out(info)
        found |= known.get(variable, frozenset())
    return found


def _written_out(template: TemplateInfo) -> dict[str, frozenset[str]]:
    """Returns the fields that a template writes out of each of its variables, if they are forms; `WHOLE` for one that stands alone.

    # `{{ form.author }}` is a select, `{{ form.author.errors }}` and `{{ form.fields.author.queryset }}` are not
    """
    found: dict[str, set[str]] = {}
    inner: set[int] = set()
    for node in walk(template.function.node.body):
        if id(node) in inner or not isinstance(node, (ir.Attr, ir.Name)):
            continue
        steps: list[str] = []
        part: ir.Node = node
        while isinstance(part, ir.Attr):
            steps.append(part.name)
            part = part.value
            inner.add(id(part))
        if not isinstance(part, ir.Name):
            continue
        steps.reverse()
        if not steps or steps[0] in RENDERING:
            found.setdefault(part.id, set()).add(WHOLE)
        elif len(steps) == 1 or steps[1] in RENDERING:
            found.setdefault(part.id, set()).add(steps[0])
    return {variable: frozenset(fields) for variable, fields in found.items()}


def _show(m: Machine, f: Frame, form: Instance, shown: frozenset[str]) -> None:
    fields = form.attributes.get("fields")
    for name, field in fields.known.items() if isinstance(fields, Mapping) else ():
        place = m.form_fields.get((id(form), name)) if name in shown or WHOLE in shown else None
        if place is not None and isinstance(field, Instance) and _is_list_of_choices(field.attributes.get("widget", NONE)):
            _show_choices(m, f, form, name, field, place)


def _is_list_of_choices(widget: Value) -> bool:
    if isinstance(widget, External):
        return widget.name.removesuffix("()") in SELECTS and widget.package == "django"
    return widget == NONE


def _show_choices(m: Machine, f: Frame, form: Instance, name: str, field: Instance, place: Place) -> None:
    """Walks the rows that one field offers, at the place of the field."""
    from ormlint.run.django import manager_method, queryset_method
    from ormlint.run.expressions import iterate, to_text

    _, node = place
    at, again = _at(f, form, name, place), _queryset(node)
    rows = field.attributes.get("queryset", UNKNOWN)
    if isinstance(rows, Manager):
        rows = manager_method(m, at, again, rows, "all", [], {})
    elif isinstance(rows, QueryObject) and rows.orm is Orm.DJANGO:
        rows = queryset_method(m, at, again, rows, "all", [], {})
    if not isinstance(rows, QueryObject):
        return
    rows.recipe = opaque(m)  # every field asks for its choices, every time
    iterated = iterate(m, at, rows, again)
    site = at.site(node.start, node.end)
    loop = make_loop(m, at, (node.start, False), site, site, "form", iterated, name)
    at.loops.append(loop)
    row = iterated.element_in(m, at, loop)
    own, usual = field.attributes.get("label_from_instance"), field.cls.method("label_from_instance")
    if isinstance(own, Closure):
        to_text(m, at, call(m, at, again, own, [row], {}), again)
    elif usual is not None and not usual.module.is_library:
        to_text(m, at, call_function(m, at, again, usual, [field, row], {}), again)
    elif isinstance(row, Row):
        to_text(m, at, row, again)
    at.loops.pop()


# ------------------------------------------------------------------------------------------------- which fields there are
def _fields(m: Machine, cls: ClassInfo) -> dict[str, tuple[Instance, Place]]:
    """Returns the fields of a form class that choose among rows, and where they are declared."""
    found = dict(_of_model(m, cls))
    for ancestor in reversed(cls.mro):
        if ancestor.module.is_library:
            continue
        for name, stmts in ancestor.bindings.items():
            stmt = stmts[-1]
            if isinstance(stmt, ir.Assign):
                found.pop(name, None)
                value = m.class_value(ancestor, name) if isinstance(stmt.value, ir.Call) else None
                if isinstance(value, Instance) and value.cls.derives_from("ModelChoiceField"):
                    found[name] = (value, (ancestor.module, stmt))
    return found


def _of_model(m: Machine, cls: ClassInfo) -> Iterator[tuple[str, tuple[Instance, Place]]]:
    """Yields the fields that a ModelForm has for the relations of its model."""
    meta = m.class_value(cls, "Meta")
    of = m.class_value(meta, "model") if isinstance(meta, ClassInfo) else None
    library = m.program.library.get(MODULE)
    if not isinstance(meta, ClassInfo) or not isinstance(of, ClassInfo) or of.model is None:
        return
    if library is None or not cls.derives_from("BaseModelForm"):
        return
    named = dict(texts_of(m, meta, "fields"))
    left_out = {name for name, _ in texts_of(m, meta, "exclude")}
    widgets = m.class_value(meta, "widgets")
    known = widgets.known if isinstance(widgets, Mapping) else {}
    for relation in of.model.relations.values():
        place = named.get(relation.name) or named.get(EVERYTHING)
        if place is None and left_out and not named:
            place = (meta.module, meta.node)
        target = m.class_of(relation.target) if relation.target is not None else None
        if place is None or target is None or target.model is None or relation.kind not in CHOSEN or relation.name in left_out:
            continue
        if of.find(relation.name) is None:
            continue  # the other side's
        made = Frame(place[0], f"{place[0].name}:<fields>", muted=True)
        node = ir.Call(place[1].start, place[1].end, ir.Name(place[1].start, place[1].end, relation.name), [], [])
        given = {"queryset": default_manager(m, target, target.model), "widget": known.get(relation.name, NONE)}
        field = construct(m, made, node, library.classes["ModelChoiceField"], [], given)
        if isinstance(field, Instance):
            yield relation.name, (field, place)
