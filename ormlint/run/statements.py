"""Statements: how control flow changes the variables of a frame.

`run_body` returns whether control can fall through its end. Where control flow splits, each branch works on its own
copy of the variables; where it meets again, the copies are joined.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ormlint.ir import nodes as ir
from ormlint.ir.walk import walk as nodes_in
from ormlint.library.functions import NOT_FOUND
from ormlint.link.names import ClassInfo, External, FunctionInfo, ModuleInfo
from ormlint.link.schema import Orm
from ormlint.run.caching import asks_what_others_give, caught, guards_cache, guards_cache_in_else, is_fallback, leaves_if_given, returns_kept
from ormlint.run.columns import note_loop
from ormlint.run.detaching import close, closing, detached
from ormlint.run.draining import draining
from ormlint.run.evaluate import evaluate
from ormlint.run.expressions import iterate, truth
from ormlint.run.frame import Env, Flow, Frame
from ormlint.run.given_back import as_announced, put_in_its_place
from ormlint.run.inert import COMPOUND, is_inert
from ormlint.run.loader_options import extend
from ormlint.run.log import Bound, Loop, Op, QueryObject, Use, UseKind
from ormlint.run.loops import Iterated, decided, enter_loop, fill_entries, found_by, last_round, leaves, make_loop, outliving
from ormlint.run.machine import Machine
from ormlint.run.merging import join_values
from ormlint.run.narrowing import narrow, tell_columns
from ormlint.run.recipes import end_loop
from ormlint.run.targets import assign, note_attribute_write
from ormlint.run.values import UNKNOWN, Closure, Constant, Option, Sequence, Session, Value, element_of, varying


def run_body(m: Machine, f: Frame, body: list[ir.Stmt]) -> bool:
    """Runs statements in order; returns False if control never reaches the end."""
    guarded = 0
    through = True
    for position, stmt in enumerate(body):
        if f.is_page and type(stmt) in COMPOUND and is_inert(m, f, stmt):
            continue
        if not STATEMENTS[type(stmt)](m, f, stmt):
            through = False
            break
        if type(stmt) is ir.If and stmt is not f.refuted:
            keeps = m.keeps.get(id(stmt))
            if keeps is None:
                keeps = m.keeps[id(stmt)] = returns_kept(body, position) or leaves_if_given(f, stmt)
            guarded += keeps  # `if key in cache: return cache[key]`: the rest runs once per key
            f.guarded += keeps
    f.guarded -= guarded
    return through


GIVES_BACK = frozenset({Op.CREATE, Op.INSERT, Op.GET_OR_CREATE, Op.UPDATE_ROWS, Op.MERGE})
"""Writes that return what was written, or how many rows."""


def join_env(m: Machine, left: Env, right: Env) -> Env:
    """Returns the variables after two ways of control have met."""
    if left is right:
        return left
    joined = dict(left)
    for name, value in right.items():
        other = joined.get(name)
        if other is None:
            joined[name] = value
        elif other is not value:
            joined[name] = join_values(m, other, value)
    return joined


# ------------------------------------------------------------------------------------------------ simple statements
def _expr(m: Machine, f: Frame, stmt: ir.Expr) -> bool:
    value = evaluate(m, f, stmt.value)
    m.use(f, value, UseKind.DISCARD, stmt)
    if isinstance(value, Option):
        extend(f, stmt.value, value)
    last = f.events[-1] if f.events else None
    if last is not None and last.op in GIVES_BACK and stmt.start <= last.site.start and last.site.end <= stmt.end:
        last.uses.append(Use(UseKind.DISCARD, last.site))  # nobody wants the new row, or the number of rows
    return True


def _assign(m: Machine, f: Frame, stmt: ir.Assign) -> bool:
    if stmt.value is None:
        return True
    value = evaluate(m, f, stmt.value)
    if isinstance(value, Option):
        extend(f, stmt.value, value)
    if len(stmt.targets) == 1 and not stmt.op:
        value = put_in_its_place(m, f, stmt.targets[0], stmt.value, value)
    if stmt.op:
        from ormlint.run.expressions import combine

        target = stmt.targets[0]
        old = evaluate(m, f, target)
        value = combine(m, f, stmt, stmt.op, old, value)
        note_attribute_write(m, f, target, value, augmented=True)
        assign(m, f, target, value, stmt)
        return True
    for target in stmt.targets:
        assign(m, f, target, value, stmt)
    return True


def _delete(m: Machine, f: Frame, stmt: ir.Delete) -> bool:
    for target in stmt.targets:
        if isinstance(target, ir.Name):
            f.env.pop(target.id, None)
    return True


def _return(m: Machine, f: Frame, stmt: ir.Return) -> bool:
    value: Value = Constant(None)
    f.left_at = stmt.start if f.left_at < 0 else min(f.left_at, stmt.start)
    if stmt.value is not None:
        left = f.left
        if f.loops:
            f.left |= {loop.id for loop in f.loops}
        value = evaluate(m, f, stmt.value)
        f.left = left
        value = as_announced(m, f, stmt.value, value)
        if not f.module.is_library:
            m.use(f, value, UseKind.RETURN, stmt)
        if f.closing is not None:
            value = detached(m, value, f.closing)
        if f.loops:
            value = found_by(value, frozenset(loop.id for loop in f.loops))
        f.returns.append((f.site(stmt.start, stmt.end), value))
    f.returned = value if f.returned is None else join_values(m, f.returned, value)
    return False


def _raise(m: Machine, f: Frame, stmt: ir.Raise) -> bool:
    if stmt.value is not None:
        f.error_path += 1
        evaluate(m, f, stmt.value)
        f.error_path -= 1
    return False


def _assert(m: Machine, f: Frame, stmt: ir.Assert) -> bool:
    f.error_path += 1  # what an assertion asks, it asks to fail
    truth(m, f, stmt.test)
    f.error_path -= 1
    tell_columns(m, f, stmt.test, positive=True)
    return True


def _jump(m: Machine, f: Frame, stmt: ir.Jump) -> bool:
    f.breaks.append(f.env)
    return False


def _emit(m: Machine, f: Frame, stmt: ir.Emit) -> bool:
    if stmt.key is not None:
        key = evaluate(m, f, stmt.key)
        f.emitted.append(Sequence("tuple", items=(key, evaluate(m, f, stmt.value))))
    else:
        f.emitted.append(evaluate(m, f, stmt.value))
    return True


def _function(m: Machine, f: Frame, stmt: ir.Function) -> bool:
    if f.function is None and f.outer is None and f.owner is None and stmt.name in f.module.functions:
        for decorator in stmt.decorators:
            evaluate(m, f, decorator)
        return True
    info = _nested(f, stmt)
    closure = Closure(info, f)
    f.closures.append(closure)
    for decorator in stmt.decorators:
        evaluate(m, f, decorator)
    f.env[stmt.name] = closure
    f.note_binding(stmt.name)
    return True


def _nested(f: Frame, stmt: ir.Function) -> FunctionInfo:
    """Returns the one description of a nested function, however often its definition is run."""
    parent = f.function
    key = f"{stmt.name}@{stmt.start}"
    if parent is not None and key in parent.nested:
        return parent.nested[key]
    info = FunctionInfo(stmt, f.module, f"{parent.qualname if parent else ''}.{stmt.name}".lstrip("."), None)
    if parent is not None:
        parent.nested[key] = info
    return info


def _class(m: Machine, f: Frame, stmt: ir.Class) -> bool:
    if f.function is not None:
        f.env[stmt.name] = UNKNOWN
        f.note_binding(stmt.name)
    return True


def _import(m: Machine, f: Frame, stmt: ir.Import) -> bool:
    if f.function is None and f.outer is None:
        return True
    if stmt.name == "*":
        return True
    known = m.imports.get(id(stmt))
    if known is not None:
        f.env[stmt.bound] = known
        return True
    symbol = m.program.import_target(stmt, f.module)
    if not isinstance(symbol, (External, ClassInfo, FunctionInfo, ModuleInfo)):
        module = m.program.find_module(m.program.absolute(stmt, f.module), f.module)
        f.env[stmt.bound] = m.global_value(module, stmt.name) if module is not None and stmt.name else UNKNOWN
    else:
        f.env[stmt.bound] = m.imports[id(stmt)] = symbol
    return True


# --------------------------------------------------------------------------------------------------------- branches
def _if(m: Machine, f: Frame, stmt: ir.If) -> bool:
    known = truth(m, f, stmt.test)
    given = asks_what_others_give(f, stmt.test) if known is not None else ""
    if known is True and not given:
        return run_body(m, f, stmt.body)
    if known is False and not given:
        through = run_body(m, f, stmt.orelse)
        f.refuted = stmt
        return through
    before, way = f.env, f.way
    forked, f.forked = f.forked, before
    positive, flow = behind(f, stmt.test)
    test = f.site(stmt.test.start, stmt.test.end)
    guards = m.guards.get(id(stmt))
    if guards is None:
        own, given = guards_cache(stmt), given or asks_what_others_give(f, stmt.test)
        guards = m.guards[id(stmt)] = (own or given == "is", (own and bool(stmt.orelse)) or given == "is not" or guards_cache_in_else(stmt))
    f.env, f.flow, f.way = dict(before), positive, (*way, (test, True))
    refine(m, f, stmt.test, positive=True)
    through = _branch(m, f, stmt.body, guarded=guards[0])
    then_env, then_flow = f.env, f.flow
    f.env, f.flow, f.way = dict(before), flow, (*way, (test, False))
    refine(m, f, stmt.test, positive=False)
    if not through:
        tell_columns(m, f, stmt.test, positive=False)
    through_else = _branch(m, f, stmt.orelse, guarded=guards[1])
    f.forked = forked
    f.way = way
    if through and through_else:
        f.env = join_env(m, then_env, f.env)
        f.flow = then_flow.meet(f.flow)
    elif through:
        f.env, f.flow = then_env, then_flow
    return through or through_else


def behind(f: Frame, test: ir.Expr_) -> tuple[Flow, Flow]:
    """Returns what is certain where a test that was just evaluated held, and where it did not.

    # `if mine and books.exists():` has asked whether there are books in its body, but not behind it
    """
    negated = False
    while isinstance(test, ir.Not):
        test, negated = test.value, not negated
    held, failed = f.flow.fork(), f.flow
    if isinstance(test, ir.Bool):
        skipped = f.skipped or Flow()
        held, failed = (held, skipped) if test.op == "and" else (skipped, held)
    return (failed, held) if negated else (held, failed)


def _branch(m: Machine, f: Frame, body: list[ir.Stmt], *, guarded: bool) -> bool:
    if not body:
        return True
    fails = _fails(body)
    left = f.left
    f.left |= leaving(f, body)
    f.error_path += fails
    f.guarded += guarded
    f.conditional += 1
    f.branch_depth += 1
    through = run_body(m, f, body)
    f.branch_depth -= 1
    f.conditional -= 1
    f.guarded -= guarded
    f.error_path -= fails
    f.left = left
    return through


def _fails(body: list[ir.Stmt]) -> bool:
    """Whether a branch ends in an error whichever way it takes: `if new: raise Taken() else: raise Used()`."""
    last = body[-1] if body else None
    return isinstance(last, ir.Raise) or (isinstance(last, ir.If) and _fails(last.body) and _fails(last.orelse))


def leaving(f: Frame, body: list[ir.Stmt]) -> frozenset[int]:
    """Returns the ids of the loops that a branch ends: what stands in it happens once, however many rounds there are."""
    if not f.loops or not body or leaves(body[:-1], ("continue",)):
        return frozenset()
    last = body[-1]
    if isinstance(last, ir.Return):
        return frozenset(loop.id for loop in f.loops)
    return frozenset({f.loops[-1].id}) if isinstance(last, ir.Jump) and last.kind == "break" else frozenset()


def refine(m: Machine, f: Frame, test: ir.Expr_, *, positive: bool) -> None:
    """Narrows a variable by the test of a branch: `x is None`, `not x`, `isinstance(x, C)`."""
    narrow(m, f, test, positive=positive)


def _try(m: Machine, f: Frame, stmt: ir.Try) -> bool:
    before, flow, way = f.env, f.flow, f.way
    f.env, f.flow = dict(before), flow.fork()
    isolated = bool(f.loops) and any(_goes_on(h) for h in stmt.handlers)
    left = f.left
    f.left |= leaving(f, stmt.body)
    answered = any("ValueError" in caught(h) for h in stmt.handlers)
    f.isolated += isolated
    f.answered += answered
    through = run_body(m, f, stmt.body)
    f.left = left
    after, tried = f.env, f.flow
    if through and stmt.orelse:
        through = run_body(m, f, stmt.orelse)
    f.isolated -= isolated
    f.answered -= answered
    ends: list[Env] = [f.env] if through else []
    for handler in stmt.handlers:
        f.env = join_env(m, before, after)
        f.flow, f.way = flow.meet(tried), (*way, (f.site(handler.start, handler.end), True))
        if handler.name:
            f.env[handler.name] = UNKNOWN
            f.note_binding(handler.name)
        fails = not _expects_nothing(handler)
        guarded = is_fallback(f, stmt, handler, before)
        left = f.left
        f.left |= leaving(f, handler.body)
        f.error_path += fails
        f.guarded += guarded
        f.conditional += 1
        f.branch_depth += 1
        if run_body(m, f, handler.body):
            ends.append(f.env)
        f.branch_depth -= 1
        f.conditional -= 1
        f.guarded -= guarded
        f.error_path -= fails
        f.left = left
        tried = tried.meet(f.flow)
    env = ends[0] if ends else join_env(m, before, after)
    for other in ends[1:]:
        env = join_env(m, env, other)
    f.env, f.flow, f.way = env, flow.meet(tried), way
    falls = run_body(m, f, stmt.final) if stmt.final else True
    return bool(ends) and falls


def _expects_nothing(handler: ir.Handler) -> bool:
    """Whether an except block is the other half of a question: `except Book.DoesNotExist:`, `except KeyError:`."""
    return bool(caught(handler) & NOT_FOUND)


def _goes_on(handler: ir.Handler) -> bool:
    """Whether an except block rolls back or goes on with the next element."""
    for stmt in handler.body:
        if isinstance(stmt, ir.Jump):
            return True
        if isinstance(stmt, ir.Expr):
            call = stmt.value.value if isinstance(stmt.value, ir.Await) else stmt.value
            if isinstance(call, ir.Call) and isinstance(call.func, ir.Attr) and call.func.name in ("rollback", "savepoint_rollback"):
                return True
    return not any(isinstance(s, ir.Raise) for s in handler.body)


def _has_no_savepoint(block: ir.Expr_) -> bool:
    """Whether a block leaves errors to the one around it: `atomic(savepoint=False)`, which sends nothing there."""
    options = block.keywords if isinstance(block, ir.Call) else []
    return any(name == "savepoint" and isinstance(value, ir.Const) and value.value is False for name, value in options)


def _with(m: Machine, f: Frame, stmt: ir.With) -> bool:
    from ormlint.run.externals import enter_context

    transactions = 0
    outer, before = f.closing, f.env
    for item, target in stmt.items:
        value = evaluate(m, f, item)
        entered, transaction = enter_context(m, f, item, value)
        if transaction and f.loops and not _has_no_savepoint(item):
            m.event(f, Op.BEGIN, item, orm=Orm.SQLALCHEMY if isinstance(value, Session) else Orm.DJANGO)
        transactions += transaction
        f.closing = closing(m, f, item, value) or f.closing
        before = dict(f.env) if f.closing is not outer else before
        if target is not None:
            assign(m, f, target, entered, stmt)
    f.transaction += transactions
    if transactions:
        f.note_write()  # what was asked before it began may have changed
    left = f.left
    f.left |= leaving(f, stmt.body)
    through = run_body(m, f, stmt.body)
    f.left = left
    if f.closing is not None and f.closing is not outer:
        close(m, f, f.closing, before)
    f.closing = outer
    f.transaction -= transactions
    return through


# ------------------------------------------------------------------------------------------------------------ loops
def _loop(m: Machine, f: Frame, stmt: ir.Loop) -> bool:
    f.awaiting += stmt.is_async
    source = evaluate(m, f, stmt.iter)
    iterated = iterate(m, f, source, stmt.iter)
    f.awaiting -= stmt.is_async
    loop = enter_loop(m, f, stmt, iterated)
    if loop is None:  # an empty display
        return run_body(m, f, stmt.orelse)
    if loop.source is not None and (loop.searches or loop.first_only):
        f.flow.taken.discard(m.result_of.get(loop.source, loop.source))  # some may be left
    before = f.env
    mark = m.mark(f)
    breaks, f.breaks = f.breaks, []
    conditional, f.conditional = f.conditional, 0
    guarded, f.guarded = f.guarded, 0 if loop.bound >= Bound.PAGE else f.guarded  # the rounds of one key are not spared
    effects = f.effects
    flow, started = f.flow, (f.writes, f.bindings)
    f.flow = Flow(set(flow.evaluated))
    if isinstance(source, (QueryObject, Sequence)):
        note_loop(m, f, stmt, loop)
    f.loops.append(loop)
    f.env = dict(before)
    element = iterated.element_in(m, f, loop)
    assign(m, f, stmt.target, element, stmt)
    _round(m, f, stmt, loop)
    after = f.env
    for env in f.breaks:
        after = join_env(m, after, env)
    if stmt.kind != "template" and _changed(before, after):
        m.rewind(f, mark)
        f.breaks = []
        f.env = join_env(m, before, after)
        f.flow = Flow(set(flow.evaluated))
        assign(m, f, stmt.target, element, stmt)
        _round(m, f, stmt, loop)
        after = join_env(m, after, f.env)
        for env in f.breaks:
            after = join_env(m, after, env)
    f.loops.pop()
    fill_entries(f, stmt, source)
    if f.effects > effects:
        note_effects(f, mark, loop)
    if not f.loops or f.loops[-1] is not loop:
        note_sum(m, f, stmt, source)
    f.conditional, f.guarded = conditional, guarded
    f.breaks = breaks
    f.flow = flow
    end_loop(f, loop, mark[0], started)
    f.env = outliving(join_env(m, before, after), frozenset({loop.id})) if stmt.kind == "for" else before
    if stmt.orelse:
        run_body(m, f, stmt.orelse)
    return True


def _round(m: Machine, f: Frame, stmt: ir.Loop, loop: Loop) -> None:
    """Runs the body of a loop; what only its last round reaches is not repeated."""
    end = last_round(stmt.body)
    if end in (0, len(stmt.body)):
        run_body(m, f, stmt.body)
    elif run_body(m, f, stmt.body[:end]):
        left = f.left
        f.left |= {loop.id}
        run_body(m, f, stmt.body[end:])
        f.left = left


def note_effects(f: Frame, mark: tuple[int, ...], loop: Loop) -> None:
    """Notes on all that a loop body asked of the database that each round also does something outside."""
    for event in (*f.events[mark[0] :], *f.copied[mark[2] :]):
        if loop in event.loops:
            event.around = replace(event.around, external=True)


def note_sum(m: Machine, f: Frame, stmt: ir.Loop, source: Value) -> None:
    """Notes that a loop only adds up a column: `for sale in sales: total += sale.cents`."""
    only = stmt.body[0] if len(stmt.body) == 1 and not stmt.orelse else None
    query = source.source if isinstance(source, Sequence) else source
    if isinstance(only, ir.Assign) and only.op == "+" and isinstance(only.value, ir.Attr) and isinstance(query, QueryObject):
        if isinstance(stmt.target, ir.Name) and isinstance(only.value.value, ir.Name) and only.value.value.id == stmt.target.id:
            from ormlint.run.builtins import aggregated

            aggregated(m, f, stmt, query, "sum", only.value.name)


def _changed(before: Env, after: Env) -> bool:
    """Whether a round of a loop left a variable of the outside with another value."""
    return any(name in before and before[name] is not value and before[name] != value for name, value in after.items())


def _while(m: Machine, f: Frame, stmt: ir.While) -> bool:
    drained = draining(m, f, stmt)
    loop = drained or _waiting(m, f, stmt)
    flow, started = f.flow, f.writes
    f.flow = flow.fork()
    f.flow.asked.clear()
    f.loops.append(loop)
    if drained is None or not isinstance(stmt.test, ir.Name):
        _test(m, f, stmt)
    before = f.env
    breaks, f.breaks = f.breaks, []
    mark = m.mark(f)
    f.env = dict(before)
    run_body(m, f, stmt.body)
    after = f.env
    for env in f.breaks:
        after = join_env(m, after, env)
    if _changed(before, after):
        m.rewind(f, mark)
        f.breaks = []
        f.env = join_env(m, before, after)
        run_body(m, f, stmt.body)
        after = join_env(m, after, f.env)
        for env in f.breaks:
            after = join_env(m, after, env)
    f.breaks = breaks
    f.env = decided(before, join_env(m, before, after), stmt.test)
    f.flow = Flow(f.flow.evaluated, flow.asked if f.writes == started else {})
    f.loops.pop()
    if stmt.orelse:
        run_body(m, f, stmt.orelse)
    return not (isinstance(stmt.test, ir.Const) and stmt.test.value is True and not _breaks(stmt.body))


def _test(m: Machine, f: Frame, stmt: ir.While) -> None:
    """Evaluates the test of a `while`; what the body assigns again is no constant there: `while seen < books.count(): seen += 100`."""
    counted = {
        target.id: f.env[target.id]
        for each in nodes_in(stmt.body)
        if isinstance(each, ir.Assign)
        for target in each.targets
        if isinstance(target, ir.Name) and type(f.env.get(target.id)) is Constant
    }
    f.env.update(dict.fromkeys(counted, UNKNOWN))
    truth(m, f, stmt.test)
    f.env.update(counted)


def _waiting(m: Machine, f: Frame, stmt: ir.While) -> Loop:
    """Returns the loop of a `while` of which it is not known that it follows the data: it counts as one round."""
    site = f.site(stmt.start, stmt.test.end)
    return make_loop(m, f, (stmt.start, False), site, f.site(stmt.start, stmt.end), "while", Iterated(Bound.ONE, 1, None, UNKNOWN), "", stmt.body)


def _breaks(body: list[ir.Stmt]) -> bool:
    return leaves(body, ("break",))


STATEMENTS: dict[type[ir.Node], Callable[..., bool]] = {
    ir.Expr: _expr,
    ir.Assign: _assign,
    ir.Delete: _delete,
    ir.If: _if,
    ir.Loop: _loop,
    ir.While: _while,
    ir.Try: _try,
    ir.With: _with,
    ir.Return: _return,
    ir.Raise: _raise,
    ir.Assert: _assert,
    ir.Jump: _jump,
    ir.Emit: _emit,
    ir.Function: _function,
    ir.Class: _class,
    ir.Import: _import,
}

__all__ = ["STATEMENTS", "element_of", "join_env", "run_body", "varying"]
