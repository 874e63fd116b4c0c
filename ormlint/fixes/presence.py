"""Questions whether a related row is there, and what they tell the code that they guard.

if book.editor:                                    if book.editor_id is not None:
    print(book.editor.id)                              print(book.editor_id)
book.editor.id if book.editor else None            book.editor_id
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from ormlint.fixes.source import SourceFile
from ormlint.fixes.statement import Statement
from ormlint.fixes.truth import is_tested
from ormlint.fixes.variables import bindings
from ormlint.link.schema import Relation
from ormlint.text import Edit

_LEAVING = (cst.Return, cst.Raise, cst.Continue, cst.Break)


def asked_of_key(file: SourceFile, statement: Statement, node: cst.BaseExpression, relation: Relation) -> Edit | None:
    """Returns the edit that asks the key column instead of the row at `node`, None if more than its presence may be wanted there.

    `book.editor.id if book.editor else None` becomes the column itself.
    """
    if not isinstance(node, cst.Attribute):
        return None
    start, end = statement.span(node)
    key = statement.code(node)[: -len(relation.name)] + relation.attname
    chosen = _choice(statement, node, relation)
    if chosen is not None:
        start, end = statement.span(chosen)
        return file.edit(start, end, key) if "#" not in file.text[start:end] else None
    above = statement.parent(node)
    match above:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Is() | cst.IsNot())]) if left is node:
            return file.edit(end - len(relation.name), end, relation.attname)
        case cst.UnaryOperation(operator=cst.Not()):
            start = statement.span(above)[0]
            inner = file.text[start : statement.outer(node)[1]]
            return file.edit(start, statement.outer(node)[1], f"{key} is None") if "#" not in inner else None
        case _:
            return file.edit(start, end, f"{key} is not None") if is_tested(statement, node) and not isinstance(above, cst.Arg) else None


def without_inner(edits: Sequence[Edit]) -> list[Edit]:
    """Returns the edits without those within the place of another one."""
    return [edit for edit in edits if not any(other is not edit and other.start <= edit.start and edit.end <= other.end for other in edits)]


def is_known_to_be_there(statement: Statement, node: cst.BaseExpression, relation: Relation) -> bool:
    """Whether code is reached only if the row whose key `node` reads is there, for it has been asked and nothing has changed since."""
    if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Attribute):
        return False
    root = _root(node)
    if root is None:
        return False
    row = statement.code(node.value.value)
    wanted = (f"{row}.{relation.name}", f"{row}.{relation.attname}")
    return any(
        not _changes(statement, guard, end, node, root)
        for guard, end, test, held in _guards(statement, node)
        if _tells(statement, test, wanted, held)
    )


def _choice(statement: Statement, node: cst.Attribute, relation: Relation) -> cst.BaseExpression | None:
    """Returns the expression that gives the key of a row, or None if there is none, of which the row at `node` is the test."""
    test: cst.BaseExpression = node
    above = statement.parent(node)
    compares = isinstance(above, cst.Comparison) and len(above.comparisons) == 1 and _is_none(above.comparisons[0].comparator)
    if isinstance(above, (cst.Comparison, cst.UnaryOperation)) and (compares or isinstance(above, cst.UnaryOperation)):
        test, above = above, statement.parent(above)
    row, wanted = node.value, (statement.code(node),)
    match above:
        case cst.IfExp(test=asked, body=there, orelse=absent) if asked is test:
            if _tells(statement, test, wanted, False):
                there, absent = absent, there
            elif not _tells(statement, test, wanted, True):
                return None
            return above if _is_none(absent) and _reads_key(statement, there, row, relation) else None
        case cst.BooleanOperation(left=left, operator=cst.And(), right=right) if left is node:
            return above if _reads_key(statement, right, row, relation) else None
        case _:
            return None


def _is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _reads_key(statement: Statement, node: cst.BaseExpression, row: cst.BaseExpression, relation: Relation) -> bool:
    """Whether an expression is the primary key of the row that a relation of `row` leads to; only names and attributes give the same row twice."""
    match node:
        case cst.Attribute(value=cst.Attribute(value=owner, attr=cst.Name(value=name)), attr=cst.Name(value=column)):
            target = relation.target
            is_key = column == "pk" or (target is not None and target.is_primary_key(column))
            return is_key and name == relation.name and _root(node) is not None and statement.code(owner) == statement.code(row)
        case _:
            return False


def _root(node: cst.BaseExpression) -> str | None:
    """Returns the variable that an expression of attributes alone begins with, None for any other."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else None


def _guards(statement: Statement, node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, int, cst.BaseExpression, bool]]:
    """Yields the tests that code stands under: what they rule over, where they end, the test, and whether it has to hold."""
    for above in statement.ancestors(node):
        match above:
            case cst.FunctionDef() | cst.Lambda() | cst.ClassDef():
                return
            case cst.IfExp(test=test, body=body) if node is not test:
                yield node, statement.span(node)[0], test, node is body
            case cst.BooleanOperation(left=left, operator=operator, right=right) if node is right:
                yield above, statement.span(left)[1], left, isinstance(operator, cst.And)
            case cst.If(test=test, body=body) if node is not test:
                yield node, statement.span(node)[0], test, node is body
            case cst.While(test=test, body=body) if node is body:
                yield above, statement.span(test)[1], test, True
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp() if node is not above.for_in:
                yield from ((node, statement.span(test.test)[1], test.test, True) for test in _ifs(above.for_in))
            case cst.IndentedBlock(body=lines) | cst.Module(body=lines):
                yield from _left_before(statement, above, lines, node)
            case _:
                pass
        node = above


def _ifs(clause: cst.CompFor | None) -> Iterator[cst.CompIf]:
    while clause is not None:
        yield from clause.ifs
        clause = clause.inner_for_in


def _left_before(
    statement: Statement, block: cst.CSTNode, lines: Sequence[cst.CSTNode], node: cst.CSTNode
) -> Iterator[tuple[cst.CSTNode, int, cst.BaseExpression, bool]]:
    """Yields the tests of a block behind which its rest is reached only if they fail: `if not book.editor: continue`."""
    for line in lines:
        if line is node:
            return
        match line:
            case cst.If(test=test, orelse=None, body=cst.IndentedBlock(body=[*_, cst.SimpleStatementLine(body=[*_, last])])):
                left = isinstance(last, _LEAVING)
            case cst.If(test=test, orelse=None, body=cst.SimpleStatementSuite(body=[*_, last])):
                left = isinstance(last, _LEAVING)
            case _:
                continue
        if left:
            yield block, statement.span(line)[1], test, False


def _tells(statement: Statement, test: cst.BaseExpression, wanted: Sequence[str], held: bool) -> bool:
    """Whether a test says, if it holds or if it does not, that one of the wanted expressions is not None."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            return _tells(statement, inner, wanted, not held)
        case cst.BooleanOperation(left=left, operator=operator, right=right):
            return isinstance(operator, cst.And) is held and any(_tells(statement, part, wanted, held) for part in (left, right))
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=other)]) if _is_none(other):
            fits = isinstance(operator, (cst.IsNot, cst.NotEqual) if held else (cst.Is, cst.Equal))
            return fits and statement.code(left) in wanted
        case _:
            return held and statement.code(test) in wanted


def _changes(statement: Statement, guard: cst.CSTNode, since: int, node: cst.CSTNode, root: str) -> bool:
    """Whether what a test was told may be another thing at `node`: its variable is set where the test rules, or given away or asked on the way."""
    if any(statement.span(bound)[0] >= since for bound in bindings(statement, guard, root)):
        return True
    start, end = statement.span(node)
    for call in statement.within(guard, cst.Call):
        first, last = statement.span(call)
        if since <= first < start and not end <= last and any(name.value == root for name in statement.within(call, cst.Name)):
            return True
    return False
