"""Applies `--fix`, then `--fix --unsafe-fixes`, to scratch copies of real applications, and checks what that did to them.

    python bench/fixes.py                          # everything that is pinned and fetched
    python bench/fixes.py django pretix            # by ORM or by name
    python bench/fixes.py --folder path/to/any/project --keep ~/fixed --diff
    python bench/fixes.py --reasons                # why findings have no fix, the most frequent reasons first

After each of the two steps: every changed file compiles, no statement is merely written otherwise, the findings with a fix are
gone, none is new, and nothing is left that a second run would fix. The exit status is 1 if one of that does not hold. The table tells
how many of the N+1 findings whose query stands in the project carry a fix.
"""

from __future__ import annotations

import argparse
import ast
import copy
import difflib
import json
import shlex
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archives import chosen, default_cache, unpacked
from measure import ORMLINT, run, share

N_PLUS_ONE = "n-plus-one"
QUERY = "the rows come from here"
MOST_SHOWN = 12

Report = dict[str, Any]
Place = tuple[str, int]


@dataclass(slots=True)
class Outcome:
    """What fixing did to one application."""

    name: str
    findings: list[Report] = field(default_factory=list)
    safe: int = 0
    unsafe: int = 0
    files: int = 0
    faults: list[str] = field(default_factory=list)
    diff: list[str] = field(default_factory=list)

    @property
    def curable(self) -> list[Report]:
        """The N+1 findings whose query stands in the project."""
        return [finding for finding in self.findings if finding["family"] == N_PLUS_ONE and _has_query(finding)]


def _has_query(finding: Report) -> bool:
    return any(label["label"] == QUERY for label in finding["related"])


class Application:
    """A scratch copy of an application, and ormlint's command line in it."""

    def __init__(self, folder: Path, command: list[str], extra: list[str]) -> None:
        self.folder = folder
        self._command = [*command, "check", ".", "--exit-zero", *extra]

    def check(self, *options: str) -> Report:
        """Returns the report of a run. Raises RuntimeError if there is none or ormlint failed."""
        done = run([*self._command, "--output-format", "json", *options], self.folder)
        try:
            report: Report = json.loads(done.output)
        except json.JSONDecodeError:
            raise RuntimeError((done.errors.strip().splitlines() or [f"exit status {done.status}"])[-1]) from None
        broken = [error["message"] for error in report["errors"] if error["kind"] == "internal"]
        if broken:
            raise RuntimeError(broken[0])
        return report

    def texts(self) -> dict[str, bytes]:
        """Returns the contents of the Python files by path."""
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in sorted(self.folder.rglob("*.py"))}


def examine(name: str, application: Application) -> Outcome:
    """Returns the outcome of both steps."""
    outcome = Outcome(name)
    try:
        before = application.check()
        outcome.findings = before["findings"]
        for options in ((), ("--unsafe-fixes",)):
            before = _step(outcome, application, before, options)
    except RuntimeError as error:
        outcome.faults.append(f"ormlint failed: {error}")
    return outcome


def _step(outcome: Outcome, application: Application, before: Report, options: tuple[str, ...]) -> Report:
    """Applies the fixes of one step and returns the report after it.

    What only a preview tells before is not new if everybody is told afterwards: a fix may do away with what made it doubtful.
    """
    old = application.texts()
    told = {(_key(finding), finding["path"], finding["line"]) for finding in before["findings"]}
    doubtful = [each for each in application.check("--preview")["findings"] if (_key(each), each["path"], each["line"]) not in told]
    after = application.check("--fix", *options)
    new = application.texts()
    changed = [path for path in new if new[path] != old.get(path)]
    if options:
        outcome.unsafe = after["summary"]["fixed"]
    else:
        outcome.safe = after["summary"]["fixed"]
    outcome.files = max(outcome.files, len(changed))
    wanted = ("safe", "unsafe") if options else ("safe",)
    announced = _announced(before, wanted)
    for path in changed:
        outcome.faults += _damage(path, old[path], new[path])
        outcome.diff += _diff(path, old[path], new[path])
    outcome.faults += _left(announced, [*before["findings"], *doubtful], after["findings"], Moved(old, new, changed))
    outcome.faults += (
        f"a second run would fix {finding['path']}:{finding['line']}: {finding['code']} {finding['message']}"
        for finding in _announced(after, wanted)
        if finding["fix"]["edits"]
    )
    return after


def _announced(report: Report, wanted: tuple[str, ...]) -> list[Report]:
    """Returns the findings with a fix of one of these applicabilities."""
    return [finding for finding in report["findings"] if finding["fix"] is not None and finding["fix"]["applicability"] in wanted]


def _damage(path: str, old: bytes, new: bytes) -> Iterator[str]:
    """Yields what is wrong with a changed file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(new, path, "exec", dont_inherit=True)
        except SyntaxError as error:
            if _compiles(old, path):
                yield f"{path}:{error.lineno}: does not compile any more: {error.msg}"
    yield from (f"{path}:{line}: a statement that means the same as before is written otherwise" for line in _rewritten(old, new))
    if old.count(b"\r\n") - old.count(b"\n") == 0 and new.count(b"\r\n") != new.count(b"\n"):
        yield f"{path}: its line endings are mixed now"


def _compiles(data: bytes, path: str) -> bool:
    try:
        compile(data, path, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _rewritten(old: bytes, new: bytes) -> Iterator[int]:
    """Yields the lines, as counted after, of statements whose text changed and whose meaning did not."""
    texts = old.splitlines(), new.splitlines()
    statements = list(_statements(old)), list(_statements(new))
    for tag, *ranges in difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        touched = [
            [statement for statement in side if statement[0] <= end and start < statement[1]]
            for side, start, end in zip(statements, ranges[::2], ranges[1::2], strict=True)
        ]
        before = {statement[2] for statement in touched[0]}
        yield from (first for first, _, meaning in touched[1] if meaning in before)


def _statements(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yields the first and the last line of every statement, without the statements in it, and what it means."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = node.end_lineno or node.lineno
            if isinstance(body, list) and body:
                last = max(node.lineno, body[0].lineno - 1)
                node = copy.copy(node)
                for name in ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list"):
                    if hasattr(node, name):
                        setattr(node, name, [])
            yield node.lineno, last, f"{node.col_offset} {ast.dump(node)}"


def _diff(path: str, old: bytes, new: bytes) -> Iterator[str]:
    texts = (data.decode("utf-8", "replace").splitlines() for data in (old, new))
    yield from difflib.unified_diff(*texts, f"a/{path}", f"b/{path}", n=6, lineterm="")


def _key(finding: Report) -> tuple[str, str, str]:
    """Returns what is compared: not the message, which quotes code that a fix may have changed."""
    return finding["code"], finding["path"], "/".join(finding["relations"])


class Moved:
    """Where the lines of changed files are now."""

    def __init__(self, old: dict[str, bytes], new: dict[str, bytes], changed: list[str]) -> None:
        self._lines = {path: _moved_lines(old.get(path, b"").splitlines(), new[path].splitlines()) for path in changed}

    def place(self, path: str, line: int) -> Place:
        """Returns the place that a line of the old text has in the new one."""
        lines = self._lines.get(path)
        return path, line if lines is None else lines[min(line, len(lines)) - 1]


def _moved_lines(old: list[bytes], new: list[bytes]) -> list[int]:
    """Returns the new number of every old line; within a replaced block they are counted from its beginning."""
    lines = [1] * max(1, len(old))
    for _, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for number in range(first, last):
            lines[number] = min(start + number - first, max(start, end - 1)) + 1
    return lines


def _query(finding: Report) -> Place:
    """Returns the place of the query that a finding is about, its own place if it names none."""
    at = next((label for label in finding["related"] if label["label"] == QUERY), finding)
    return at["path"], at["line"]


def _accesses(finding: Report) -> list[tuple[Place, str]]:
    """Returns the places where a finding's relation is read, each with its name: rows of several queries may meet there."""
    labels = (label for label in finding["related"] if label["label"].startswith(("this reads", "the same cause")))
    name = (finding["relations"] or [""])[0].rpartition("__")[2]
    return [((at["path"], at["line"]), name) for at in (finding, *labels)]


def _left(announced: list[Report], before: list[Report], after: list[Report], moved: Moved) -> Iterator[str]:
    """Yields the findings that were to go and stayed, and those that are new.

    A finding stays if the query that was edited, or the place, is reported for it again. Of several queries whose rows meet at one access
    only one is reported: once that loads the relation, the next one steps forward, which is neither.
    """
    to_go = {id(finding) for finding in announced}
    known = sorted(before, key=lambda finding: id(finding) in to_go)
    edited = {moved.place(*_query(finding)) for finding in announced}
    accesses = {(moved.place(*place), name) for finding in before for place, name in _accesses(finding)}
    same: dict[object, list[Report]] = {}
    for finding in known:
        same.setdefault((_key(finding), moved.place(*_query(finding))), []).append(finding)
    left, further = [], []
    for finding in after:
        found = same.get((_key(finding), _query(finding)))
        if not found:
            further.append(finding)
        elif id(left_over := found.pop(0)) in to_go:
            left.append(left_over)
    yield from (f"stayed: {finding['path']}:{finding['line']}: {finding['code']} {finding['message']}" for finding in left)
    others = [finding for findings in same.values() for finding in findings if id(finding) not in to_go]
    for finding in further:
        place = finding["code"], (finding["path"], finding["line"])
        counterpart = next(
            (old for old in others if _key(old) == _key(finding) or (old["code"], moved.place(old["path"], old["line"])) == place), None
        )
        if counterpart is not None:
            others.remove(counterpart)
        elif _query(finding) in edited or accesses.isdisjoint(_accesses(finding)):
            yield f"new: {finding['path']}:{finding['line']}: {finding['code']} {finding['message']}"


COLUMNS = (("findings", 9), ("safe", 6), ("unsafe", 7), ("files", 6), ("N+1", 6), ("with fix", 9), ("safe", 6), ("share", 7), ("faults", 7))


def heading() -> str:
    """Returns the first line of the table."""
    return f"{'application':<30}" + "".join(f"{title:>{width}}" for title, width in COLUMNS)


def row(name: str, outcomes: list[Outcome]) -> str:
    """Returns the line of some applications."""
    curable = [finding for outcome in outcomes for finding in outcome.curable]
    fixed = [finding["fix"]["applicability"] for finding in curable if finding["fix"] is not None and finding["fix"]["applicability"] != "display"]
    cells = [
        sum(len(outcome.findings) for outcome in outcomes),
        sum(outcome.safe for outcome in outcomes),
        sum(outcome.unsafe for outcome in outcomes),
        sum(outcome.files for outcome in outcomes),
        len(curable),
        len(fixed),
        fixed.count("safe"),
        share(len(fixed), len(curable)),
        sum(len(outcome.faults) for outcome in outcomes),
    ]
    return f"{name:<30}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS, strict=True))


def reasons(outcomes: list[Outcome]) -> Iterator[str]:
    """Yields why fixes of N+1 findings are missing or not safe, the most frequent reasons first."""
    found: Counter[str] = Counter()
    for finding in (finding for outcome in outcomes for finding in outcome.curable):
        fix = finding["fix"]
        kind = fix["applicability"] if fix else "none"
        if kind != "safe":
            found[f"{kind:<8} {finding['code']} {fix['reason'] if fix else 'the rule asks for no change'}"] += 1
    yield from (f"{count:6}  {reason}" for reason, count in found.most_common())


def parsed() -> argparse.Namespace:
    """Returns the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names of archives, or an ORM (default: all)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where bench/fetch.py put them (default: %(default)s)")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="fix a copy of this project instead; may be repeated")
    parser.add_argument("--ormlint", default=shlex.join(ORMLINT), help="the command to run (default: %(default)s)")
    parser.add_argument("--args", default="", help='further arguments of `ormlint check`, e.g. "--preview"')
    parser.add_argument("--diff", action="store_true", help="print what was changed, too")
    parser.add_argument("--reasons", action="store_true", help="print why N+1 findings have no safe fix")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the fixed copies there")
    return parser.parse_args()


def main() -> int:
    """Runs the command line; returns the exit status."""
    options = parsed()
    projects = [(folder.resolve().name, folder) for folder in options.folder]
    if options.names or not projects:
        projects += [(archive.folder, unpacked(archive, options.cache.expanduser())) for archive in chosen(options.names)]
    outcomes = []
    print(heading())
    with tempfile.TemporaryDirectory() as scratch:
        for name, folder in projects:
            scratch_copy = (options.keep or Path(scratch)).expanduser() / name
            shutil.copytree(folder, scratch_copy, ignore=shutil.ignore_patterns(".ormlint_cache", "__pycache__"))
            outcome = examine(name, Application(scratch_copy, shlex.split(options.ormlint), shlex.split(options.args)))
            outcomes.append(outcome)
            print(row(name, [outcome]), *(f"    {fault}" for fault in outcome.faults[:MOST_SHOWN]), sep="\n", flush=True)
            for line in outcome.diff if options.diff else ():
                print(line)
            if options.keep is None:
                shutil.rmtree(scratch_copy)
    print(row("all", outcomes))
    for line in reasons(outcomes) if options.reasons else ():
        print(line)
    return int(any(outcome.faults for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
