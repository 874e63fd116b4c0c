"""Expressions: what they evaluate to and which uses they make of query objects."""

from __future__ import annotations

import functools
import itertools
import operator

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.link.templates import TemplateInfo
from ormlint.run.attributes import attribute
from ormlint.run.columns import columns_read, is_sifted
from ormlint.run.evaluate import EXPRESSIONS, IN_TEMPLATES, evaluate
from ormlint.run.frame import Frame
from ormlint.run.log import Bound, Length, Op, QueryObject, UseKind
from ormlint.run.loops import Iterated, either, enter_loop, make_loop, walk
from ormlint.run.machine import Machine
from ormlint.run.managers import misuse_manager
from ormlint.run.matches import sought_by
from ormlint.run.merging import join_values
from ormlint.run.pins import compared
from ormlint.run.queries import evaluate_query, iterate_query
from ormlint.run.rows import PREFETCHED, note_key, note_presence
from ormlint.run.seeking import picks_sought
from ormlint.run.subscripts import subscript
from ormlint.run.targets import assign
from ormlint.run.values import (
    NONE,
    UNKNOWN,
    Closure,
    Constant,
    Instance,
    Manager,
    Mapping,
    Row,
    Scalar,
    Sequence,
    Union,
    Unknown,
    Value,
    deps_of,
    element_of,
    entry_name,
    only_queries,
    options,
    varying,
)

LONGEST_TEXT = 200
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FORMS = ("Form", "ModelForm", "BaseForm", "BaseModelForm", "FlaskForm")
EXISTENCE = frozenset({"==", "!=", ">", "<", ">=", "<=", "is", "is not"})


# ------------------------------------------------------------------------------------------------------------ names
def _const(m: Machine, f: Frame, node: ir.Const) -> Value:
    return UNKNOWN if node.kind else Constant(node.value)


def _name(m: Machine, f: Frame, node: ir.Name) -> Value:
    if isinstance(f.module, TemplateInfo):
        return IN_TEMPLATES[ir.Name](m, f, node)
    found = f.env.get(node.id)
    if found is not None:
        return found
    return free_name(m, f, node.id)


def free_name(m: Machine, f: Frame, name: str) -> Value:
    """Returns the value of a name that is not a variable of the frame."""
    outer = f.outer
    while outer is not None:
        found = outer.env.get(name)
        if found is not None:
            return found
        outer = outer.outer
    if name == "__class__" and f.owner is not None:
        return f.owner
    return m.global_value(f.module, name)


def _attr(m: Machine, f: Frame, node: ir.Attr) -> Value:
    value = evaluate(m, f, node.value)
    if type(value) is Row and value.model.is_primary_key(node.name):
        note_key(f, node)
    if isinstance(f.module, TemplateInfo):
        return IN_TEMPLATES[ir.Attr](m, f, node, value)
    return attribute(m, f, node, value, node.name)


def _walrus(m: Machine, f: Frame, node: ir.Walrus) -> Value:
    value = evaluate(m, f, node.value)
    f.env[node.name] = value
    f.note_binding(node.name)
    return value


# -------------------------------------------------------------------------------------------------------- containers
def _seq(m: Machine, f: Frame, node: ir.Seq) -> Value:
    items: list[Value] = []
    starred = False
    for item in node.items:
        if isinstance(item, ir.Star):
            value = evaluate(m, f, item.value)
            if isinstance(value, Sequence) and value.items is not None:
                items += value.items
                continue
            starred = True
            items.append(iterate(m, f, value, item.value).element)
        else:
            items.append(evaluate(m, f, item))
            m.use(f, items[-1], UseKind.STORE, item)
    if not starred and (len(items) <= 12 or node.kind == "tuple"):
        return Sequence(node.kind, items=tuple(items))
    element = functools.reduce(functools.partial(join_values, m), items)
    return Sequence(node.kind, element, bound=Bound.FEW, limit=None if starred else len(items))


def _map(m: Machine, f: Frame, node: ir.Map) -> Value:
    mapping = Mapping()
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(m, f, value_node)
        if key_node is None:
            if isinstance(value, Mapping):
                mapping.known.update(value.known)
                mapping.element = value.element if mapping.element is None else mapping.element
            else:
                mapping.element = varying((value,))
            continue
        key = evaluate(m, f, key_node)
        m.use(f, value, UseKind.STORE, value_node)
        name = entry_name(key)
        if not isinstance(key, Constant):
            mapping.key = key if mapping.key is UNKNOWN and mapping.element is None else join_values(m, mapping.key, key)
        if name is not None:
            mapping.known[name] = value
        else:
            mapping.element = value if mapping.element is None else join_values(m, mapping.element, value)
    return mapping


def _comp(m: Machine, f: Frame, node: ir.Comp) -> Value:
    from ormlint.run.statements import STATEMENTS

    emitted, f.emitted = f.emitted, []
    env, f.env = f.env, dict(f.env)
    first = f.loop_ids.get((node.body.start, True))
    STATEMENTS[type(node.body)](m, f, node.body)
    f.env = env
    results, f.emitted = f.emitted, emitted
    loop = f.loop_ids.get((node.body.start, True), first)
    filtered = not (len(node.body.body) == 1 and isinstance(node.body.body[0], ir.Emit))
    bound = loop.bound if loop is not None else Bound.MANY
    limit = loop.limit if loop is not None else None
    source = loop.source if loop is not None else None
    element: Value = UNKNOWN
    if results:
        element = results[0]
        for other in results[1:]:
            element = join_values(m, element, other)
    if node.kind == "dict" and isinstance(element, Sequence) and element.items is not None:
        return Mapping(key=element.items[0], element=element.items[1], source=source)
    made = Sequence(node.kind, element, bound=Bound.FEW if bound is Bound.ONE and limit else bound, limit=limit, source=source)
    made.column = "" if filtered else read_column(node.body)
    made.columns = columns_read(f, node.body, source)
    made.sifted = is_sifted(f, node.body, source)
    if filtered and isinstance(element, Row) and picks_sought(m, f, element, node.body):
        made.element = replace(element, sought=True)
    return made


def read_column(loop: ir.Loop) -> str:
    """Returns the attribute that `row.column for row in rows` reads, or ""."""
    emit = loop.body[-1] if loop.body else None
    if isinstance(emit, ir.Emit) and isinstance(emit.value, ir.Attr) and isinstance(loop.target, ir.Name):
        if isinstance(emit.value.value, ir.Name) and emit.value.value.id == loop.target.id:
            return emit.value.name
    return ""


def _index(m: Machine, f: Frame, node: ir.Index) -> Value:
    value = evaluate(m, f, node.value)
    if isinstance(f.module, TemplateInfo):
        return IN_TEMPLATES[ir.Index](m, f, node, value)
    return subscript(m, f, node, value)


# -------------------------------------------------------------------------------------------------------- operators
def truth(m: Machine, f: Frame, node: ir.Expr_, *, negated: bool = False) -> bool | None:
    """Evaluates an expression for its truth; returns it if it is known."""
    match node:
        case ir.Not():
            known = truth(m, f, node.value, negated=not negated)
            return None if known is None else not known
        case ir.Bool():
            results = [truth(m, f, node.values[0], negated=negated)]
            entered, way, conditional = f.flow.fork(), f.way, f.conditional
            for before, part in itertools.pairwise(node.values):
                if results[-1] is (node.op == "or"):
                    break
                f.conditional += results[-1] is None  # `not shelf.books and not shelf.maps`: the maps of empty shelves alone
                f.way = (*f.way, (f.site(before.start, before.end), node.op == "and"))
                results.append(truth(m, f, part, negated=negated))
            f.skipped, f.way, f.conditional = entered.meet(f.flow), way, conditional
            if node.op == "and":
                return False if False in results else True if all(r is True for r in results) else None
            return True if True in results else False if all(r is False for r in results) else None
        case _:
            value = evaluate(m, f, node)
            note_presence(f, node, value)
            return truth_of(m, f, value, node, negated=negated)


def truth_of(m: Machine, f: Frame, value: Value, node: ir.Node, *, negated: bool = False, certain: bool = True, either: bool = False) -> bool | None:
    """Records the truth test of a value; returns its truth if it is known.

    `certain` tells that nothing else may stand there, `either` that something may that is no query.
    """
    match value:
        case QueryObject(style="query" | "select" | "result"):
            m.use(f, value, UseKind.TRUTH, node, negated=negated, certain=certain and m.created[value][0] is f)
        case QueryObject():
            evaluate_query(m, f, value, node, UseKind.TRUTH, negated=negated, either=either)
        case Scalar():
            m.use(f, value, UseKind.TRUTH, node, negated=negated)
        case Constant():
            return bool(value.value)
        case Unknown():
            return True if value.present else None
        case Union():
            either = not only_queries(value)
            results = {truth_of(m, f, option, node, negated=negated, certain=False, either=either) for option in value.options}
            return results.pop() if len(results) == 1 else None
        case Sequence() if value.source is not None:
            m.use_rows(f, value, UseKind.TRUTH, node, negated=negated, either=either)
        case Manager() if certain:
            misuse_manager(m, f, value, node, node, UseKind.TRUTH, negated=negated)
        case _:
            pass
    return None


def _not(m: Machine, f: Frame, node: ir.Not) -> Value:
    known = truth(m, f, node.value, negated=True)
    return UNKNOWN if known is None else Constant(not known)


def _bool(m: Machine, f: Frame, node: ir.Bool) -> Value:
    result: Value | None = None
    before = f.conditional
    entered, way = f.flow, f.way
    for position, part in enumerate(node.values):
        if position:
            f.conditional = before + 1
            f.way = (*f.way, (f.site(node.values[position - 1].start, node.values[position - 1].end), node.op == "and"))
        if position == 1:
            entered = f.flow.fork()
        value = evaluate(m, f, part)
        if position < len(node.values) - 1:
            known = truth_of(m, f, value, part)
            if node.op == "and":  # `book.editor or somebody` goes on with the row
                note_presence(f, part, value)
            if known is (node.op == "or") and known is not None:
                result = value if result is None else join_values(m, result, value)
                break
            if known is not None:
                continue
            if node.op == "and":
                for option in options(value):
                    if isinstance(option, Scalar) and (isinstance(option.source, Length) or option.source.op is Op.COUNT):
                        m.use(f, option, UseKind.OTHER, part)  # `books.count() and 5` is the number if that is 0
                continue
            m.use(f, value, UseKind.OTHER, part)  # `drafts or letters` goes on with the rows it tested
        result = value if result is None else join_values(m, result, value)
    f.conditional = before
    f.flow, f.way = entered.meet(f.flow), way
    return result if result is not None else UNKNOWN


def _compare(m: Machine, f: Frame, node: ir.Compare) -> Value:
    left, right = evaluate(m, f, node.left), evaluate(m, f, node.right)
    if isinstance(right, Constant) and right.value is None and node.op in ("is", "is not"):  # `==` may be the class's own
        note_presence(f, node.left, left, by_truth=False)
    if node.op in ("in", "not in"):
        return _contains(m, f, node, left, right)
    if node.op in EXISTENCE:
        for value, other, reflected in ((left, right, False), (right, left, True)):
            if isinstance(value, Sequence) and value.source is not None and not isinstance(other, Constant):
                m.use(f, value, UseKind.OTHER, node)  # `list(books) == found` reads the rows
            if isinstance(value, (Scalar, QueryObject, Union)):
                constant = other.value if isinstance(other, Constant) else ...
                if isinstance(value, Scalar) or not isinstance(other, Constant):
                    m.use(f, value, UseKind.COMPARE, node, operator=node.op, constant=constant, reflected=reflected)
    if isinstance(left, Constant) and isinstance(right, Constant):
        return _compare_constants(node.op, left, right)
    if node.op in ("is", "is not") and isinstance(right, Constant) and _is_there(left):
        return Constant(node.op == "is not")
    known = compared(node.op, left, right)
    return varying((left, right)) if known is None else Constant(known)


def _is_there(value: Value) -> bool:
    """Whether a value is surely no constant, such as None."""
    return isinstance(value, (Sequence, Mapping, QueryObject, Manager, Instance, ClassInfo, FunctionInfo)) or (
        isinstance(value, Unknown) and value.present
    )


def _compare_constants(op: str, left: Constant, right: Constant) -> Value:
    if op in ("==", "is"):
        return Constant(left.value == right.value)
    if op in ("!=", "is not"):
        return Constant(left.value != right.value)
    if isinstance(left.value, (int, float)) and isinstance(right.value, (int, float)) and op in ORDERS:
        return Constant(ORDERS[op](left.value, right.value))
    return UNKNOWN


def _contains(m: Machine, f: Frame, node: ir.Compare, left: Value, right: Value) -> Value:
    if isinstance(right, Manager):
        misuse_manager(m, f, right, node.right, node, UseKind.CONTAINS)
    either = not only_queries(right)
    for option in right.options if isinstance(right, Union) else (right,):
        query = option.source if isinstance(option, Sequence) else option
        if not isinstance(query, QueryObject):
            continue
        columns = option.columns if isinstance(option, Sequence) else None
        sought = sought_by(f, node.left, left)
        m.use(f, query, UseKind.CONTAINS, node, repeated=m.is_repeated(f, query), columns=columns, either=either, sought=sought)
        if option is query:
            evaluate_query(m, f, query, node, UseKind.CONTAINS, record_use=False)
    m.use(f, left, UseKind.OTHER, node)
    if isinstance(left, Constant) and isinstance(right, Sequence) and right.items is not None and (right.items or right.kind == PREFETCHED):
        if all(isinstance(item, Constant) for item in right.items):
            return Constant((left in right.items) is (node.op == "in"))
    known = compared(node.op, left, right)
    return varying((left, right)) if known is None else Constant(known)


def _binary(m: Machine, f: Frame, node: ir.Binary) -> Value:
    left = evaluate(m, f, node.left) if node.left is not None else UNKNOWN
    right = evaluate(m, f, node.right)
    if node.op in ("+", "%") and type(left) is Constant and not f.loops:
        text = _joined_text(node.op, left.value, right)
        if text is not None:
            return Constant(text)
    return combine(m, f, node, node.op, left, right)


def _joined_text(op: str, left: object, right: Value) -> str | None:
    """Returns the text that two known ones make, `"shop/" + name` or `"shop/%s.html" % name`, or None."""
    values = right.items if isinstance(right, Sequence) and right.kind == "tuple" and op == "%" else (right,)
    if not isinstance(left, str) or not values or not all(type(v) is Constant and isinstance(v.value, str) for v in values):
        return None
    texts = [v.value for v in values if isinstance(v, Constant)]
    if op == "+":
        return _short(left + str(texts[0]))
    parts = left.split("%s")
    if len(parts) != len(texts) + 1 or any("%" in part for part in parts):
        return None
    return _short(parts[0] + "".join(f"{text}{part}" for text, part in zip(texts, parts[1:], strict=True)))


def _short(text: str) -> str | None:
    """Returns a text that may be a name, None if it is too long for one: `text = text + text` doubles it."""
    return text if len(text) <= LONGEST_TEXT else None


def combine(m: Machine, f: Frame, node: ir.Node, op: str, left: Value, right: Value) -> Value:
    """Returns the result of an arithmetic or set operation."""
    if op.startswith(("|", "&")) and isinstance(left, QueryObject) and isinstance(right, QueryObject):
        from ormlint.run.queries import combined

        return combined(m, f, node, left, right, op)
    m.use(f, left, UseKind.OTHER, node)
    m.use(f, right, UseKind.OTHER, node)
    if op == "%" and isinstance(left, Constant) and isinstance(left.value, str):
        for value in right.items or () if isinstance(right, Sequence) else (right,):
            to_text(m, f, value, node)
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        joined = Sequence(left.kind, join_values(m, element_of(left), element_of(right)), bound=max(left.bound, right.bound))
        return joined if left.items is None or right.items is None else Sequence(left.kind, items=(*left.items, *right.items))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return Mapping({**left.known, **right.known}, right.key, right.element if left.element is None else left.element)
    if isinstance(left, Sequence) and op.startswith("+"):
        inner = iterate(m, f, right, node).element
        return Sequence(left.kind, join_values(m, element_of(left), inner) if left.items != () else inner, bound=Bound.MANY)
    return varying((left, right))


def _cond(m: Machine, f: Frame, node: ir.Cond) -> Value:
    known = truth(m, f, node.test)
    if known is not None:
        return evaluate(m, f, node.body if known else node.orelse)
    env, flow, way = f.env, f.flow, f.way
    test = f.site(node.test.start, node.test.end)
    from ormlint.run.narrowing import looks_up, narrow

    picks = not looks_up(node)
    f.conditional += picks
    f.env, f.flow, f.way = dict(env), flow.fork(), (*way, (test, True))

    narrow(m, f, node.test, positive=True)
    left, then = evaluate(m, f, node.body), f.flow
    f.env, f.flow, f.way = dict(env), flow, (*way, (test, False))
    narrow(m, f, node.test, positive=False)
    right = evaluate(m, f, node.orelse)
    f.env, f.flow, f.way = env, then.meet(f.flow), way
    f.conditional -= picks
    return join_values(m, left, right)


def _text(m: Machine, f: Frame, node: ir.Text) -> Value:
    values = []
    for part in node.parts:
        value = evaluate(m, f, part)
        m.use(f, value, UseKind.OTHER, part)
        to_text(m, f, value, part)
        values.append(value)
    known = [value.value for value in values if isinstance(value, Constant) and isinstance(value.value, (str, int))]
    if node.around and len(known) == len(values):
        text = _short(node.around[0] + "".join(f"{value}{text}" for value, text in zip(known, node.around[1:], strict=True)))
        if text is not None:
            return Constant(text)
    return varying(values)


def to_text(m: Machine, f: Frame, value: Value, node: ir.Node) -> None:
    """Runs what formatting a value runs: `__str__` of a row."""
    if f.error_path:  # the text of an error
        return
    for option in value.options if isinstance(value, Union) else (value,):
        if isinstance(option, (Row, Instance)):
            from ormlint.run import calls

            if isinstance(option, Row) and option.origin is not None:
                m.shown.add(option.model)
            function = calls.text_method(option.cls) if option.cls is not None else None
            if function is not None:
                calls.call_function(m, f, node, function, [option], {})


def _star(m: Machine, f: Frame, node: ir.Star) -> Value:
    return evaluate(m, f, node.value)


def _await(m: Machine, f: Frame, node: ir.Await) -> Value:
    expirations, awaited = f.expirations, f.awaited
    f.awaited = node.value
    value = evaluate(m, f, node.value)
    f.awaited = awaited
    if expirations and f.expirations == expirations:
        from ormlint.run.expiry import revive

        revive(f)
    return value


def _yield(m: Machine, f: Frame, node: ir.Yield) -> Value:
    f.note_write()  # until it goes on, others may write
    if node.value is None:
        return UNKNOWN
    value = evaluate(m, f, node.value)
    if node.delegate:
        value = iterate(m, f, value, node.value).element
    else:
        m.use(f, value, UseKind.RETURN, node)
    f.yielded = value if f.yielded is None else join_values(m, f.yielded, value)
    return UNKNOWN


def _lambda(m: Machine, f: Frame, node: ir.Lambda) -> Value:
    return Closure(None, f, node)


def _slice(m: Machine, f: Frame, node: ir.Slice) -> Value:
    return varying([evaluate(m, f, part) for part in (node.lower, node.upper, node.step) if part is not None])


# -------------------------------------------------------------------------------------------------------- iteration
def iterate(m: Machine, f: Frame, value: Value, node: ir.Node, use: UseKind = UseKind.ITERATE, operator: str = "") -> Iterated:
    """Starts walking a value: evaluates a query, and tells what its elements are."""
    match value:
        case QueryObject():
            return iterate_query(m, f, value, node, use, operator)
        case Union():
            # None cannot be walked: who does relies on there being something
            options = [option for option in value.options if option != NONE] or value.options
            parts = [iterate(m, f, option, node, use, operator) for option in options]
            return either(parts, lambda left, right: join_values(m, left, right))
        case Sequence():
            if value.source is not None:
                m.use(f, value, UseKind.ITERATE, node)
            return walk(value)
        case Manager():  # `for x in obj.tags` is an error at run time
            misuse_manager(m, f, value, node, node, UseKind.ITERATE)
            return Iterated(Bound.MANY, None, None, UNKNOWN)
        case Instance():
            return _iterate_instance(m, f, value, node)
        case ClassInfo():
            if value.derives_from("Enum", "IntEnum", "StrEnum", "TextChoices", "IntegerChoices", "Choices", "Flag"):
                return Iterated(Bound.FEW, len(value.bindings), None, Instance(value), constant=True)
            return Iterated(Bound.MANY, None, None, UNKNOWN)
        case External() | FunctionInfo() | ModuleInfo():
            return Iterated(Bound.MANY, None, None, UNKNOWN)
        case Unknown():
            return walk(value)
        case _:
            return walk(varying((value,)))


def _iterate_instance(m: Machine, f: Frame, value: Instance, node: ir.Node) -> Iterated:
    from ormlint.run.calls import call_method

    produced = call_method(m, f, node, value, "__iter__")
    if isinstance(produced, (Sequence, QueryObject)):
        return iterate(m, f, produced, node)
    if value.cls.derives_from(*FORMS):  # its fields
        return Iterated(Bound.FEW, None, None, UNKNOWN, constant=True)
    return Iterated(Bound.MANY, None, None, Unknown(deps_of(value)))


def callback_loop(m: Machine, f: Frame, node: ir.Node, iterated: Iterated) -> object:
    """Returns the loop that `map`, `sorted(key=…)` and their like make of the call at `node`."""
    return make_loop(m, f, (node.start, False), f.site(node.start, node.end), f.site(node.start, node.end), "callback", iterated)


EXPRESSIONS |= {
    ir.Const: _const,
    ir.Name: _name,
    ir.Attr: _attr,
    ir.Index: _index,
    ir.Slice: _slice,
    ir.Lambda: _lambda,
    ir.Comp: _comp,
    ir.Seq: _seq,
    ir.Map: _map,
    ir.Bool: _bool,
    ir.Compare: _compare,
    ir.Not: _not,
    ir.Binary: _binary,
    ir.Cond: _cond,
    ir.Text: _text,
    ir.Star: _star,
    ir.Await: _await,
    ir.Yield: _yield,
    ir.Walrus: _walrus,
}

__all__ = ["assign", "callback_loop", "enter_loop", "evaluate", "free_name", "iterate", "to_text", "truth", "truth_of"]
