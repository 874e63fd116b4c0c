"""What turns rows into JSON: the `default` of an encoder, which is called with each object that JSON has no form for.

    class Encoder(JSONEncoder):                         json.dumps(books, cls=Encoder)        JsonResponse(data, encoder=Encoder)
        def default(self, o):                           json.dumps(books, default=as_dict)
            if isinstance(o, Book):                     app.json_encoder = Encoder            jsonify(books=books)
                return {"title": o.title, "author": o.author}

What it returns is encoded again. An application of Flask has one encoder: `json_encoder`, from 2.2 on `json_provider_class`, `app.json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk
from ormlint.link.names import ClassInfo, FunctionInfo, ModuleInfo
from ormlint.run.calls import call, call_function
from ormlint.run.frame import Frame
from ormlint.run.loops import make_loop
from ormlint.run.machine import Machine
from ormlint.run.values import NONE, BoundMethod, Closure, Instance, Mapping, Row, Sequence, Union, Value, options

MOST_LEVELS = 4
MOST_CONTAINERS = 12  # one in the other, those counted twice that a loop gives
MOST_ENTRIES = 64  # that a place has a number for
ENCODING = frozenset({"dumps", "dump"})
GIVEN_AS = ("cls", "encoder")  # the keywords by which a class is given
PLACES = frozenset({"json_encoder", "json_provider_class", "json"})
APPLICATIONS = ("Flask", "Blueprint", "Quart")
ENCODERS = ("JSONEncoder", "JSONProvider", "DefaultJSONProvider", "DjangoJSONEncoder")


def encode(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls an encoder, or that of the application if none is given, with each object in a value; returns the value."""
    encode_rows(m, f, node, args, keywords, of_application=True)
    return args[0] if args else NONE


def encode_rows(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value], *, of_application: bool = False) -> None:
    """Calls the encoder that a function which makes JSON uses with each object that it is given."""
    values = (*args, *(value for name, value in keywords.items() if name not in (*GIVEN_AS, "default")))
    if not any(_has_objects(value) for value in values):
        return
    encoder = _encoder(m, keywords, of_application)
    for number, value in enumerate(values if encoder is not None else ()):
        assert encoder is not None
        _encode(m, f, node, value, encoder, (), number + 1)


def _encoder(m: Machine, keywords: dict[str, Value], of_application: bool) -> Value | None:
    """Returns what is called with each object, or None if nobody knows."""
    default = keywords.get("default")
    if isinstance(default, (FunctionInfo, BoundMethod, Closure)):
        return default
    named = next((keywords[name] for name in GIVEN_AS if keywords.get(name, NONE) != NONE), None)
    if named is None and of_application:
        if m.json_encoders is None:
            m.json_encoders = _of_application(m)
        named = m.json_encoders[0] if len(m.json_encoders) == 1 else None
    return _default_of(named) if isinstance(named, ClassInfo) else None


def _default_of(cls: ClassInfo) -> Value | None:
    method = cls.method("default")
    if method is None or method.module.is_library:
        return None
    return method if method.kind == "static method" else BoundMethod(method, Instance(cls, initialised=True))


def _of_application(m: Machine) -> list[ClassInfo]:
    """Returns the classes that the project gives its applications for making JSON."""
    classes = [cls for cls in m.program.all_classes() if "default" in cls.functions and cls.derives_from(*ENCODERS)]
    given = [cls for module in m.program.modules.values() for cls in _given(m, module)] if classes else []
    return [cls for cls in classes if cls in given]


def _given(m: Machine, module: ModuleInfo) -> Iterator[ClassInfo]:
    for node in walk(module.tree.body):
        if not isinstance(node, ir.Assign) or node.value is None or node.op:
            continue
        for target in node.targets:
            if isinstance(target, ir.Attr) and target.name in PLACES:
                made = node.value.func if isinstance(node.value, ir.Call) else node.value
                symbol = m.program.resolve(made, module)
                if isinstance(symbol, ClassInfo):
                    yield symbol
    for cls in module.classes.values():
        for name in PLACES if cls.derives_from(*APPLICATIONS) else ():
            value = m.class_value(cls, name)
            if isinstance(value, ClassInfo):
                yield value


def _has_objects(value: Value, depth: int = 0) -> bool:
    """Whether JSON may have to make a form of rows or objects of the project in a value."""
    match value:
        case Row() | Instance():
            return True
        case Union():
            return any(_has_objects(option, depth) for option in value.options)
        case Sequence() if depth < MOST_LEVELS:
            return any(_has_objects(item, depth + 1) for item in (value.items if value.items is not None else (value.element,)))
        case Mapping() if depth < MOST_LEVELS:
            return any(_has_objects(item, depth + 1) for item in (*value.known.values(), value.element) if item is not None)
        case _:
            return False


def _encode(
    m: Machine, f: Frame, node: ir.Call, value: Value, encoder: Value, above: tuple[object, ...], place: int, within: tuple[int, ...] = ()
) -> None:
    """Calls an encoder with each object in a value, and with each in what it returns; never with one of a kind that it is at.

    `place` is a number of its own for every value within what is encoded, `within` are the ids of the containers that it is in: a node of
    a tree may be in the list of its own children.
    """
    from ormlint.run.expressions import iterate

    if len(above) > MOST_LEVELS or len(within) > MOST_CONTAINERS or not _has_objects(value):
        return
    for option in options(value):
        place *= MOST_ENTRIES
        if id(option) in within:
            continue
        inside = (*within, id(option))
        match option:
            case Row(model=kind) | Instance(cls=kind):
                if kind not in above:
                    _encode(m, f, node, _called(m, f, node, encoder, option), encoder, (*above, kind), place)
            case Mapping():
                for number, item in enumerate((option.element, *option.known.values())):
                    if item is not None:
                        _encode(m, f, node, item, encoder, above, place + number, inside)
            case Sequence(items=None):
                iterated = iterate(m, f, option, node)
                met = [id(each) for each in options(iterated.element) if isinstance(each, (Mapping, Sequence))]
                if met and all(each in within for each in met):
                    continue
                site = f.site(node.start, node.end)
                loop = make_loop(m, f, (node.start, place), site, site, "serializer", iterated, _name(encoder))
                f.loops.append(loop)
                _encode(m, f, node, iterated.element_in(m, f, loop), encoder, above, place, (*inside, *met))
                f.loops.pop()
            case Sequence():
                for number, item in enumerate(option.items or ()):
                    _encode(m, f, node, item, encoder, above, place + number, inside)
            case _:
                pass


def _name(encoder: Value) -> str:
    match encoder:
        case BoundMethod(self=Instance(cls=cls)):
            return cls.name
        case FunctionInfo() | BoundMethod() | Closure(function=FunctionInfo()):
            function = encoder if isinstance(encoder, FunctionInfo) else encoder.function
            return function.name if function is not None else ""
        case _:
            return "default"


def _called(m: Machine, f: Frame, node: ir.Call, encoder: Value, row: Value) -> Value:
    if isinstance(encoder, BoundMethod):
        return call_function(m, f, node, encoder.function, [encoder.self, row], {})
    if isinstance(encoder, FunctionInfo):
        return call_function(m, f, node, encoder, [row], {})
    text = ir.Call(node.start, node.end, ir.Name(node.start, node.end, "default"), [], [])
    return call(m, f, text, encoder, [row], {})


__all__ = ["ENCODING", "encode", "encode_rows"]
