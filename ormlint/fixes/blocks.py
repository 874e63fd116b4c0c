"""A transaction of every round of a loop becomes one around the loop.

for pk in pks:                       with transaction.atomic():
    with transaction.atomic():           for pk in pks:
        …                                    …
"""

from __future__ import annotations

import libcst as cst

from ormlint.fixes.chain import append_argument, last_name
from ormlint.fixes.imports import Refusal
from ormlint.fixes.loops import carried
from ormlint.fixes.source import Sources
from ormlint.fixes.walk import Walk, inside, walk_around
from ormlint.judge.finding import Applicability, BlockAroundLoop, Fix

_DESCRIPTION = "put the loop into one block"
_WITHOUT = "set no savepoint in the block of another one"
_TOGETHER = "one block for all rows: if one of them fails, none is kept, and what waits for the end of the block is done behind the last"
_NONE_SET = "an error that is caught around the loop leaves nothing to go on with: the transaction is rolled back as a whole"
_ATOMIC = "atomic"
_FLUSHING = frozenset({"begin", "begin_nested"})


def block_around_loop(sources: Sources, intent: BlockAroundLoop) -> Fix | None:
    """Returns the fix, a display-only one if the rounds do more than the block holds, None if the place is not understood."""
    walk = walk_around(sources, intent.site, intent.loop.site)
    if walk is None or isinstance(walk, Refusal):
        return _refused(walk.reason) if walk is not None else None
    block = _block(walk)
    if block is None:
        return None
    if any(isinstance(node, cst.Yield) for node in inside(walk.loop.body)):
        return _refused("the loop gives its rows to others one by one")
    if any(isinstance(above, (cst.Try, cst.TryStar)) for above in walk.statement.ancestors(walk.loop)):
        return _refused("the loop stands in a `try`, which may count on the rows before an error")
    if walk.loop.orelse is not None:
        return _refused("the block would end behind the `else` of the loop")
    if len(walk.loop.body.body) != 1:
        return _without_savepoint(walk, intent) or _refused("the rounds do more than the block holds")
    return _swapped(walk, block)


def _refused(reason: str) -> Fix:
    return Fix(Applicability.DISPLAY, _DESCRIPTION, (), reason)


def _block(walk: Walk) -> cst.With | None:
    """Returns the block that the call begins, if it stands in the loop's own body and begins nothing else."""
    match walk.statement.parent(walk.node):
        case cst.WithItem(asname=None) as item:
            block = walk.statement.parent(item)
        case _:
            return None
    if not isinstance(block, cst.With) or len(block.items) != 1 or not isinstance(block.body, cst.IndentedBlock):
        return None
    return block if block in walk.loop.body.body else None


def _swapped(walk: Walk, block: cst.With) -> Fix:
    """Returns the fix that has the two heads change places; what is indented below them stays as it is."""
    statement, file = walk.statement, walk.file
    if not walk.names(walk.node).isdisjoint(walk.bound):
        return _refused("the block depends on the row")
    session = walk.node.func if isinstance(walk.node, cst.Call) else None
    if isinstance(session, cst.Attribute) and session.attr.value in _FLUSHING:
        kept = carried(statement, walk.loop, walk.node)
        if kept:
            return _refused(f"a round reads `{kept}`, which the end of an earlier block may have set")
    outer, inner = _head(walk, walk.loop, walk.loop.iter), _head(walk, block, walk.node)
    deeper = file.indentation(inner[0])
    if deeper is None or any("\n" in statement.code(text) for text in statement.within(walk.loop.iter, cst.SimpleString)):
        return _refused("a text over several lines stands in the head of the loop")
    edits = (
        file.edit(*outer, file.text[slice(*inner)].replace(f"\n{deeper}", f"\n{walk.indentation}")),
        file.edit(*inner, file.text[slice(*outer)].replace(f"\n{walk.indentation}", f"\n{deeper}")),
    )
    return Fix(Applicability.UNSAFE, _DESCRIPTION, edits, _TOGETHER)


def _head(walk: Walk, node: cst.For | cst.With, last: cst.BaseExpression) -> tuple[int, int]:
    """Returns where a loop or block stands that ends in an expression, up to its colon."""
    end = walk.statement.outer(last)[1]
    return walk.statement.span(node)[0], walk.file.text.index(":", end)


def _without_savepoint(walk: Walk, intent: BlockAroundLoop) -> Fix | None:
    """Returns the fix that leaves the block to the one around it, None if there is none, or it may be one of another database."""
    if not isinstance(walk.node, cst.Call) or walk.node.args or last_name(walk.node.func) != _ATOMIC:
        return None
    function = walk.statement.function(walk.node)
    decorators = function.decorators if isinstance(function, cst.FunctionDef) else ()
    if not intent.nested and not any(last_name(each.decorator) == _ATOMIC for each in decorators):
        return None
    edits = append_argument(walk.file, walk.statement, walk.node, ["savepoint=False"])
    return Fix(Applicability.UNSAFE, _WITHOUT, tuple(edits), _NONE_SET)
