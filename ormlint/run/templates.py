"""Templates: programs of the same language as Python files, run by the same machine.

    render(request, "shop/list.html", {"books": books})      the template's function, called with the context as its variables
    {% include "shop/row.html" with book=b only %}           a call, with the variables in sight and those given
    {% extends "base.html" %} {% block rows %}…              the base's body, in which the blocks are the nearest heirs'
    {% load money %} {{ price|cents }} {% price_of book %}   calls of the project's own functions

What differs from Python is how names, attributes and calls are understood (`name_in_template` and so on, which the evaluation
of expressions turns to in templates). A template that nobody renders is not run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import field

from ormlint.ir import nodes as ir
from ormlint.library.functions import FILLING
from ormlint.link.names import FunctionInfo
from ormlint.link.template_tags import Extension, Extensions
from ormlint.link.templates import TemplateInfo
from ormlint.run.context_processors import everywhere
from ormlint.run.evaluate import evaluate
from ormlint.run.frame import Flow, Frame, Summary
from ormlint.run.log import Loop, QueryObject, UseKind
from ormlint.run.loops import outliving
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.parameters import TOO_MANY_RUNS, symbolic
from ormlint.run.values import UNKNOWN, Constant, Instance, Mapping, Sequence, Union, Value, is_holder, key_of, options
from ormlint.text import Site

MAX_DEPTH = 16  # templates and functions within each other
MAX_CONTEXTS = 200  # runs of one template with different variables


class TemplateFrame(Frame, eq=False):
    """One rendering. `blocks` are the definitions of every block from the last heir to the base, `open` the blocks being rendered."""

    blocks: dict[str, list[tuple[TemplateInfo, ir.Function]]] = field(default_factory=dict)
    open: list[tuple[str, int]] = field(default_factory=list)
    lineage: list[TemplateInfo] = field(default_factory=list)
    loops_of: dict[str, dict[tuple[int, int], Loop]] = field(default_factory=dict)
    only: str = ""  # the one block that is rendered, if not all of the template is


# --------------------------------------------------------------------------------------------------------- rendering
def render_template(m: Machine, f: Frame, node: ir.Node, name: Value, context: Value) -> Value:
    """Renders the templates that a name may mean with a context, as a call at `node`; returns the text, of which nothing is known.

    What is handed to a template that is not found, or to variables out of sight, is noted as rendered.
    """
    from ormlint.run.forms import show_forms

    place = calling_file(f)
    env = variables(m, context)
    missed = not m.templates
    rendered: list[TemplateInfo] = []
    for names in alternatives(name) if m.templates else ():
        template = next((found for found in (m.templates.find(n, place) for n in names) if found is not None), None)
        if template is None:
            missed = True
        else:
            run_template(m, f, node, template, {**everywhere(m), **env} if template.is_django else env)
            if template.is_django:
                show_forms(m, f, template, env)
            hand_over(m, f, node, template, env)
            rendered.append(template)
    if missed or not rendered:
        for value in env.values():
            m.use(f, value, UseKind.RENDER, node)
    else:
        forget_context(env, f.site(node.start, node.end))
    return UNKNOWN


def show_block(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Renders one block (the second argument) of a template that extends one which is not the project's, with a context (the third)."""
    name, block, context = args if len(args) == 3 else (UNKNOWN, UNKNOWN, UNKNOWN)
    place = calling_file(f)
    for names in alternatives(name) if m.templates else ():
        template = next((found for found in (m.templates.find(n, place) for n in names) if found is not None), None)
        if template is not None and isinstance(block, Constant) and block.value in template.blocks:
            run_template(m, f, node, template, variables(m, context), str(block.value))
    return UNKNOWN


def fill_in(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> bool:
    """Renders the template that an unknown function is given by name, with its dicts and keywords as the context; returns whether it is one.

    # `render_theme_template(theme, "shop/list.html", books=books)`, `self.render("list.html", books=books)`
    """
    called = node.called
    if not m.templates or not _fills(called):
        return False
    place = calling_file(f)
    for arg in args:
        if any(m.templates.find(name, place) is not None for names in alternatives(arg) for name in names):
            context = [option for other in args for option in options(other) if isinstance(option, Mapping)]
            render_template(m, f, node, arg, Sequence("tuple", items=(*context, Mapping(keywords))))
            return True
    return False


@cache
def _fills(name: str) -> bool:
    """Whether a function of this name may fill in a template."""
    return any(word in name.lower() for word in FILLING)


def forget_context(env: dict[str, Value], call: Site) -> None:
    """Drops from queries that they were kept in the context of a call that renders: what became of them there is known from the template."""
    for value in env.values():
        for option in options(value):
            if isinstance(option, Instance) and is_holder(option.cls):
                forget_context(option.attributes, call)
            query = option.source if isinstance(option, Sequence) else option
            if not isinstance(query, QueryObject):
                continue
            kept = [use for use in query.uses if use.kind is UseKind.STORE]
            within = [use for use in kept if call.encloses(use.site)] or (kept if len(kept) == 1 else [])
            query.uses = [use for use in query.uses if use not in within]


def calling_file(f: Frame) -> str:
    """Returns the file of the project's code that asks for something, through however many frames of the library."""
    frame: Frame | None = f
    while frame is not None:
        if not frame.module.is_library:
            return frame.module.path
        frame = frame.caller
    return ""


def alternatives(name: Value) -> list[list[str]]:
    """Returns the templates that a value may name, each as the list of names of which the first that exists is meant."""
    found = []
    for option in options(name):
        names = list(constants(option))
        if names:
            found.append(names)
    return found


def constants(value: Value) -> Iterator[str]:
    """Yields the texts that a value may be or contain."""
    match value:
        case Constant(value=str(text)):
            yield text
        case Sequence():
            for item in value.items if value.items is not None else (value.element,):
                yield from constants(item)
        case Union():
            for option in value.options:
                yield from constants(option)
        case _:
            pass


def variables(m: Machine, context: Value) -> dict[str, Value]:
    """Returns the variables of a context: a dict, or several of which the last wins."""
    match context:
        case Mapping():
            return dict(context.known)
        case Sequence() if context.items is not None:
            return {name: value for item in context.items for name, value in variables(m, item).items()}
        case Union():
            found: dict[str, Value] = {}
            for option in context.options:
                for name, value in variables(m, option).items():
                    found[name] = join_values(m, found[name], value) if name in found else value
            return found
        case _:
            return {}


def hand_over(m: Machine, f: Frame, node: ir.Node, template: TemplateInfo, env: dict[str, Value]) -> None:
    """Notes that variables are rendered if the template has tags which may read them without naming them."""
    scope = m.templates.scope(template)
    if scope.is_open or any(takes_all(m, template, tag) for tag in scope.tags):
        for name, value in env.items():
            if name not in scope.names:
                m.use(f, value, UseKind.RENDER, node)


def takes_all(m: Machine, template: TemplateInfo, tag: str) -> bool:
    """Whether a tag may read any variable: those that are not Django's and those that take the context."""
    kind, _, name = tag.partition(":")
    if kind != "tag" or name in SILENT_TAGS:
        return False
    extension = extensions(m).find("tag", name, template.path)
    return extension is None or extension.takes_context


def run_template(m: Machine, f: Frame, node: ir.Node, template: TemplateInfo, env: dict[str, Value], only: str = "") -> Frame | None:
    """Runs a template with these variables as a call at `node`; returns its frame if it was run just now, None if it is known or may not be run."""
    scope = m.templates.scope(template)
    seen = env if scope.is_open else {name: value for name, value in env.items() if name in scope.names}
    function = template.function
    made, bindings, _ = symbolic(outliving(seen, f.left), runs=min(m.contexts.get(id(function), 0), TOO_MANY_RUNS))
    evaluated = evaluated_before(f, made.values())
    key = (frozenset(id(q) for q in evaluated), *((name, key_of(value)) for name, value in sorted(made.items())))
    identity = (id(function), (only, *key) if only else key)
    summary = m.memo.get(identity)
    frame = None
    if summary is None:
        if f.depth >= MAX_DEPTH or m.running.get(id(function), 0) > 1:
            return None
        if m.contexts.get(id(function), 0) >= MAX_CONTEXTS:
            return None
        m.contexts[id(function)] = m.contexts.get(id(function), 0) + 1
        m.keep.append(made)
        frame = TemplateFrame(template, template.title, function, None, dict(made), None, f.depth + 1, flow=Flow(set(evaluated)), is_page=True)
        frame.caller, frame.call_site, frame.is_async, frame.only = f, f.site(node.start, node.end), f.is_async, only
        m.begin(identity)
        try:
            run_lineage(m, frame, template)
        finally:
            m.end()
        summary = m.memo[identity] = Summary(UNKNOWN, frame.events, frame.calls, writes=frame.writes > 0, function=template.title)
    m.absorb(f, node, template.title, summary, bindings)
    return frame


def evaluated_before(f: Frame, values: Iterable[Value]) -> list[QueryObject]:
    """Returns those of the query objects whose rows are at hand where a template is rendered."""
    found = []
    for value in values:
        for option in options(value):
            if isinstance(option, QueryObject):
                frame: Frame | None = f
                while frame is not None and option not in frame.evaluated:
                    frame = frame.caller
                if frame is not None:
                    found.append(option)
    return found


# ------------------------------------------------------------------------------------------------------- inheritance
def run_lineage(m: Machine, f: TemplateFrame, template: TemplateInfo) -> None:
    """Runs a template: its own body, or that of the base it extends with the blocks of the heirs."""
    f.lineage.append(template)
    for name, block in template.blocks.items():
        f.blocks.setdefault(name, []).append((template, block))
    base = base_of(m, f, template)
    if template.extends is None:
        run_in(m, f, template, template.function.node.body)
        return
    if not template.is_django:
        run_in(m, f, template, [s for s in template.function.node.body if is_preparation(s)])
    if base is not None:
        run_lineage(m, f, base)
        return
    # the base is not part of the project: whatever it looks like, the blocks are rendered
    inner = {id(node) for block in f.blocks.values() for _, node in block}
    for statement in template.function.node.body:
        name = statement.name.removeprefix("block:") if isinstance(statement, ir.Function) and id(statement) in inner else ""
        if name and f.only in ("", name):
            render_block(m, f, name)


def base_of(m: Machine, f: TemplateFrame, template: TemplateInfo) -> TemplateInfo | None:
    """Returns the template that another one extends, or None if it extends none that is known."""
    if template.extends is None:
        return None
    module, f.module = f.module, template
    name = evaluate(m, f, template.extends)
    f.module = module
    taken = [info.path for info in f.lineage]
    found = (m.templates.named_in(template, n, taken) for names in alternatives(name) for n in names)
    return next((base for base in found if base is not None), None)


def is_preparation(statement: ir.Stmt) -> bool:
    """Whether Jinja runs a statement of a template although it extends another one: what sets a variable does."""
    if isinstance(statement, ir.Function):
        return ":" not in statement.name  # neither a block nor the body of a call
    return isinstance(statement, ir.Assign)


def run_in(m: Machine, f: TemplateFrame, template: TemplateInfo, body: list[ir.Stmt]) -> None:
    """Runs statements that stand in the file of a template, which need not be the one the frame began with."""
    from ormlint.run.statements import run_body

    module, loop_ids = f.module, f.loop_ids
    f.module, f.loop_ids = template, f.loops_of.setdefault(template.path, {})
    run_body(m, f, body)
    f.module, f.loop_ids = module, loop_ids


def render_block(m: Machine, f: Frame, name: str, generation: int = 0) -> None:
    """Runs the definition of a block that the last heir gives it, or with a generation an earlier one: `{{ block.super }}`."""
    frame = rendering(f)
    if frame is None:
        return
    definitions = frame.blocks.get(name, ())
    if generation >= len(definitions) or (name, generation) in frame.open:
        return
    template, block = definitions[generation]
    env, frame.env = frame.env, dict(frame.env)
    frame.open.append((name, generation))
    run_in(m, frame, template, block.body)
    frame.open.pop()
    frame.env = env


def render_inherited_block(m: Machine, f: Frame) -> None:
    """Runs what the block being rendered overrides."""
    frame = rendering(f)
    if frame is not None and frame.open:
        name, generation = frame.open[-1]
        render_block(m, f, name, generation + 1)


def rendering(f: Frame) -> TemplateFrame | None:
    """Returns the rendering that a frame is part of, None for a macro's own frame."""
    return f if isinstance(f, TemplateFrame) else None


# --------------------------------------------------------------------------------------------- other templates, tags
def include(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Renders another template with the variables in sight (`only`: none of them) and those given."""
    only = keywords.pop("only", None) is not None
    env = dict(keywords) if only else {**in_sight(f), **keywords}
    found = named_here(m, f, args[0]) if args else []
    for template in found:
        run_template(m, f, node, template, env)
    if not found:
        for value in env.values():
            m.use(f, value, UseKind.RENDER, node)
    return UNKNOWN


def named_here(m: Machine, f: Frame, name: Value) -> list[TemplateInfo]:
    """Returns the templates that a value in a template may name."""
    assert isinstance(f.module, TemplateInfo)
    found = []
    for names in alternatives(name):
        template = next((t for t in (m.templates.named_in(f.module, n) for n in names) if t is not None), None)
        if template is not None and template not in found:
            found.append(template)
    return found


def in_sight(f: Frame) -> dict[str, Value]:
    """Returns the variables of a frame and of those around it."""
    env: dict[str, Value] = {}
    frame: Frame | None = f
    while frame is not None:
        env = {**frame.env, **env}
        frame = frame.outer
    return env


def imported(m: Machine, f: Frame, node: ir.Call, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Returns the macros and variables of another Jinja template."""
    for template in named_here(m, f, args[0]) if args else ():
        known = m.imported_templates.get(template.path)
        if known is None:
            m.imported_templates[template.path] = Mapping()
            frame = TemplateFrame(template, template.title, template.function, depth=2)
            run_lineage(m, frame, template)
            known = m.imported_templates[template.path] = Mapping(frame.env)
        return known
    return UNKNOWN


def extensions(m: Machine) -> Extensions:
    """Returns what the project adds to its template languages; looked for when the first template is run."""
    if m.template_extensions is None:
        m.template_extensions = Extensions(m.program)
    return m.template_extensions


def extension(m: Machine, f: Frame, kind: str, name: str) -> Extension | None:
    """Returns the project's own filter, tag, global or test that a template calls by this name, or None."""
    return extensions(m).find(kind, name, f.module.path)


def tag(m: Machine, f: Frame, node: ir.Call, name: str, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Runs a tag of the project's own; those of Django and of others only read their arguments."""
    own = extension(m, f, "tag", name)
    if own is None:
        for value in (*args, *keywords.values()):
            if name == "firstof":
                from ormlint.run.expressions import truth_of

                truth_of(m, f, value, node)
            m.use(f, value, UseKind.OTHER, node)
        return UNKNOWN
    return use_extension(m, f, node, own, args, keywords)


def use_extension(m: Machine, f: Frame, node: ir.Call, own: Extension, args: list[Value], keywords: dict[str, Value]) -> Value:
    """Calls a tag, filter or global of the project, and renders its template, if it has one, with what it returns."""
    from ormlint.run.calls import call_function

    if own.takes_context:
        args = [Mapping(in_sight(f), element=UNKNOWN), *args]
    value = call_function(m, f, node, own.function, args, keywords)
    if not own.template and own.kind != "inclusion":
        return value
    template = m.templates.find(own.template, own.function.module.path) if own.template else None
    if template is not None:
        run_template(m, f, node, template, variables(m, value))
    return UNKNOWN


def required(function: FunctionInfo, *, bound: bool) -> Iterator[str]:
    """Yields the parameters that a call without arguments lacks."""
    for param in function.node.params[1 if bound else 0 :]:
        if param.default is None and param.kind not in ("*", "**"):
            yield param.name


SILENT_TAGS = frozenset({
    "autoescape", "blocktranslate", "blocktrans", "cache", "csrf_token", "cycle", "firstof", "get_current_language", "get_available_languages",
    "get_current_language_bidi", "get_current_timezone", "get_language_info", "get_language_info_list", "get_media_prefix", "get_static_prefix",
    "ifchanged", "ifequal", "ifnotequal", "localize", "localtime", "now", "querystring", "resetcycle", "spaceless", "static", "templatetag", "trans",
    "translate", "url", "widthratio",
})  # fmt: skip
"""Tags of Django that read nothing but their arguments."""
