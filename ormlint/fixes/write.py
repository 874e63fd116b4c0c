"""Fixes, written to the files: each file changes completely or not at all, and only if it is still what was analysed."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ormlint.fixes.rewrite import rewrite
from ormlint.judge.finding import Applicability, Finding
from ormlint.problem import Problem
from ormlint.read.decoding import SourceText, decode_source
from ormlint.read.errors import ReadError

MAX_PASSES = 5
CHANGED = "not fixed: the file has changed since it was read"


@dataclass(slots=True)
class AppliedFixes:
    """What became of the fixes: `written` are the paths of the changed files.

    `deferred` findings wait for the next pass, after a new analysis; there are at most `MAX_PASSES` of them.
    `dropped` findings were refused; `problems` say why.
    """

    applied: list[Finding] = field(default_factory=list)
    deferred: list[Finding] = field(default_factory=list)
    dropped: list[Finding] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _ChangedError(Exception):
    """Somebody else has written the file in the meantime."""


@dataclass(frozen=True, slots=True)
class _Target:
    """The file behind a path, links followed, as it is now."""

    path: Path
    mode: int
    data: bytes
    source: SourceText


def apply_fixes(findings: Iterable[Finding], root: str, texts: Callable[[str], str], unsafe: bool) -> AppliedFixes:
    """Writes the fixes of the findings to the files below `root` and returns what became of them.

    `texts` gives the text of a file as it was analysed. A file that has changed since, that is read-only, that lies outside
    the root (behind a link) or that cannot be written is left alone and becomes a problem; the others are written all the same.
    """
    findings = list(findings)
    targets: dict[str, _Target] = {}
    problems: list[Problem] = []
    for path in _paths(findings, unsafe):
        target = _target(Path(root), path, texts)
        if isinstance(target, Problem):
            problems.append(target)
        else:
            targets[path] = target
    result = rewrite(findings, texts, unsafe, frozenset(problem.path for problem in problems))
    outcome = AppliedFixes(result.applied, result.deferred, result.dropped, [], [*problems, *result.problems])
    for path, text in sorted(result.texts.items()):
        try:
            with _undisturbed():
                _replace(targets[path], text)
        except _ChangedError:
            outcome.problems.append(_problem(path, CHANGED))
        except OSError as error:
            outcome.problems.append(_problem(path, f"not fixed: {error.strerror or error}"))
        except UnicodeEncodeError as error:
            outcome.problems.append(_problem(path, f"not fixed: its encoding {error.encoding} cannot express the fix"))
        else:
            outcome.written.append(path)
    failed = set(result.texts) - set(outcome.written)
    outcome.dropped += [finding for finding in outcome.applied if _touches(finding, failed)]
    outcome.applied = [finding for finding in outcome.applied if not _touches(finding, failed)]
    return outcome


def _touches(finding: Finding, paths: set[str]) -> bool:
    return finding.fix is not None and any(edit.path in paths for edit in finding.fix.edits)


def _paths(findings: list[Finding], unsafe: bool) -> list[str]:
    wanted = (Applicability.SAFE, Applicability.UNSAFE) if unsafe else (Applicability.SAFE,)
    fixes = [finding.fix for finding in findings if finding.fix is not None and finding.fix.applicability in wanted]
    return sorted({edit.path for fix in fixes for edit in fix.edits})


def _problem(path: str, message: str, kind: str = "io") -> Problem:
    return Problem(path, 1, 1, message, kind)


def _target(root: Path, path: str, texts: Callable[[str], str]) -> _Target | Problem:
    """Returns the file to write, or why it must not be written."""
    target = Path(os.path.realpath(root / path))
    if not target.is_relative_to(os.path.realpath(root)):
        return _problem(path, f"not fixed: it is a link out of the project, to {target}")
    try:
        mode = target.stat().st_mode
        data = target.read_bytes()
        source = decode_source(data)
    except OSError as error:
        return _problem(path, f"not fixed: {error.strerror or error}")
    except ReadError as error:
        return _problem(path, f"not fixed: {error.message}", error.kind)
    if source.text != texts(path):
        return _problem(path, CHANGED)
    if not mode & stat.S_IWUSR or not os.access(target, os.W_OK):
        return _problem(path, "not fixed: the file is read-only")
    return _Target(target, stat.S_IMODE(mode), data, source)


def _replace(target: _Target, text: str) -> None:
    """Replaces the content of a file in one step; an interruption leaves the old or the new one."""
    data = target.source.encode(text)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.path.name}.", suffix=".tmp", dir=target.path.parent)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, target.mode)
        if target.path.read_bytes() != target.data:
            raise _ChangedError
        os.replace(temporary, target.path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets a SIGTERM wait until a file is written, so that no temporary file stays behind."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if came:
            signal.raise_signal(signal.SIGTERM)
