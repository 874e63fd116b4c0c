"""Python source, lowered to the intermediate language with the standard library's `ast`.

After this stage nobody sees `ast` again. Nothing is imported or executed.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings

from ormlint.ir import nodes as ir
from ormlint.read.errors import ReadError
from ormlint.read.limits import READING, fixed_stack, without_gc
from ormlint.read.lines import line_offsets, line_starts
from ormlint.read.newer_syntax import parse_newer_syntax
from ormlint.read.python2 import parse_python2
from ormlint.read.rewritten import Reading
from ormlint.read.statements import lower_block

_MAY_BE_NEWER = sys.version_info < (3, 14)  # the newest syntax that libcst is relied upon for
_SPEAKS_TO_US = re.compile(r"#[^\r\n]*(?:ormlint:|noqa)", re.IGNORECASE)
# Strings are matched only to be passed over. A prefix needs no attention: a backslash keeps the quote in raw strings too.
_STRING_OR_COMMENT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\r\n]|\\\r\n|\\.)*"'
    r"|'(?:[^'\\\r\n]|\\\r\n|\\.)*'"
    r"|\#(?P<comment>[^\r\n]*)",
    re.DOTALL,
)


def lower_python(path: str, name: str, text: str, is_package: bool = False) -> ir.Module:
    """Returns the module in the intermediate language, spans being character offsets into `text`.

    Raises ReadError if the text is no valid Python.
    """
    with without_gc(), fixed_stack(READING):
        try:
            starts = line_starts(text)
            is_older = False
            try:
                tree, offsets = parse(text), line_offsets(text, starts)
            except ReadError as error:
                reading, is_older = _other_syntax(text, error)
                if reading is None:
                    raise
                tree, offsets = reading.tree, reading.offsets
            body = lower_block(tree.body, offsets)
        except (RecursionError, MemoryError) as error:
            raise ReadError("nested too deeply to be analysed") from error
        comments, exports, rebound = find_comments(text), find_exports(body), find_rebound(text, tree)
        return ir.Module(path, name, "python", body, starts, len(text), comments, is_package, exports, rebound=rebound, is_older=is_older)


def _other_syntax(text: str, error: ReadError) -> tuple[Reading | None, bool]:
    """Returns a text that the running interpreter refuses as a newer or an older one would read it, and whether it is an older one."""
    if not isinstance(error.__cause__, SyntaxError):
        return None, False
    newer = parse_newer_syntax(text) if _MAY_BE_NEWER and type(error.__cause__) is SyntaxError else None
    return (newer, False) if newer is not None else (parse_python2(text), True)


def parse(text: str) -> ast.Module:
    """Returns the syntax tree of a text; a byte order mark is passed over.

    Raises ReadError if the text is no valid Python.
    """
    if text.startswith("\ufeff"):
        text = text[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise ReadError(error.msg, max(error.lineno or 1, 1), max(error.offset or 1, 1)) from error
        except UnicodeEncodeError as error:
            before = text[: error.start]
            place = before.count("\n") + 1, error.start - before.rfind("\n")
            raise ReadError("half of a surrogate pair is no text", *place, kind="encoding") from error
        except ValueError as error:  # Python 3.10 and 3.11 on NUL characters
            raise ReadError(str(error)) from error


def find_comments(text: str) -> list[ir.Comment]:
    """Returns the comments that speak to ormlint: those that hold `ormlint:` or `noqa`."""
    if not _SPEAKS_TO_US.search(text):
        return []
    return [
        ir.Comment(match.start(), match["comment"])
        for match in _STRING_OR_COMMENT.finditer(text)
        if match["comment"] is not None and _SPEAKS_TO_US.match(match[0])
    ]


def find_rebound(text: str, tree: ast.Module) -> list[str]:
    """Returns the names that functions say to be those of the file, or of the function around them, by `global` or `nonlocal`."""
    if "global " not in text and "nonlocal " not in text:
        return []
    return sorted({name for node in ast.walk(tree) if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names})


def find_exports(body: list[ir.Stmt]) -> list[str] | None:
    """Returns the names in `__all__`, or None if it is not assigned or not made of literal lists alone."""
    exports: list[str] | None = None
    for statement in body:
        if type(statement) is not ir.Assign or not any(type(target) is ir.Name and target.id == "__all__" for target in statement.targets):
            continue
        names = _literal_strings(statement.value)
        if names is None or statement.op not in ("", "+"):
            return None
        exports = [*(exports or []), *names] if statement.op else names
    return exports


def _literal_strings(value: ir.Expr_ | None) -> list[str] | None:
    if type(value) is not ir.Seq:
        return None
    names = [item.value for item in value.items if type(item) is ir.Const and type(item.value) is str]
    return names if len(names) == len(value.items) else None
