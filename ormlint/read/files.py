"""Reads the files of a project: in parallel if there is enough to do, and from the cache whatever it holds.

The main process reads the bytes of every file and looks them up by content. What the cache lacks is lowered, by worker
processes if it is much; they send back encoded modules. A file that cannot be read becomes a problem and the rest goes on.
Results come in the order of paths, whatever the order of the files, and are the same serial and parallel.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace

import msgspec

from ormlint.cache import Cache, entry_key
from ormlint.ir import nodes as ir
from ormlint.ir.codec import CodecError, decode, encode
from ormlint.problem import Problem
from ormlint.read.contents import SourceFile, content_of
from ormlint.read.decoding import decode_source, read_text, write_text
from ormlint.read.errors import ReadError
from ormlint.read.limits import CODING, fixed_stack, without_gc
from ormlint.read.python import lower_python

__all__ = ["ReadResult", "SourceFile", "lower_file", "read_files", "read_text", "write_text"]

_BYTES_WORTH_WORKERS = 1_500_000
_BYTES_PER_BATCH = 250_000
_MOST_WORKERS = 8


@dataclass(slots=True)
class ReadResult:
    """What was read, by path; `cached` of the modules came from the cache."""

    modules: list[ir.Module] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cached: int = 0


class _Failure(msgspec.Struct, array_like=True):
    """A problem as the cache stores it."""

    line: int
    column: int
    message: str
    kind: str
    details: str = ""

    def problem(self, path: str) -> Problem:
        return Problem(path, self.line, self.column, self.message, self.kind, self.details)


Outcome = ir.Module | _Failure
Job = tuple[SourceFile, bytes]
_MODULE, _FAILURE = b"M", b"F"


def read_files(
    files: Sequence[SourceFile],
    cache: Cache | None = None,
    jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> ReadResult:
    """Returns the modules of all files that can be read, and a problem for every other.

    `jobs` is the most processes to use, None for one per processor; little work is done in this process alone.
    `progress` is told how many files are done. `meanwhile` is called while other processes are at work, if there are any.
    """
    with without_gc(), fixed_stack(CODING):
        in_order = sorted(files, key=lambda file: file.path)
        return _read_files(in_order, cache, jobs, progress or (lambda done: None), meanwhile or (lambda: None))


def _read_files(
    files: list[SourceFile], cache: Cache | None, jobs: int | None, progress: Callable[[int], None], meanwhile: Callable[[], None]
) -> ReadResult:
    outcomes: dict[str, Outcome] = {}
    missing: list[Job] = []
    keys: dict[str, bytes] = {}
    for file in files:
        try:
            data = content_of(file)
        except ReadError as error:
            outcomes[file.path] = _Failure(error.line, error.column, error.message, error.kind)
            continue
        known = None
        if cache is not None:
            language = file.language if file.text is None else f"{file.language} text"  # which declares no encoding
            key = keys[file.path] = entry_key(data, file.path, file.name, file.is_package, language)
            known = _unpack(cache.get(key))
        if known is None:
            missing.append((file if file.data is None else replace(file, data=None), data))
        else:
            outcomes[file.path] = known
    cached = sum(1 for outcome in outcomes.values() if isinstance(outcome, ir.Module))
    progress(len(outcomes))
    for path, outcome, packed in _lower_all(missing, jobs, meanwhile, cache is not None):
        outcomes[path] = outcome
        if cache is not None and not (isinstance(outcome, _Failure) and outcome.kind == "internal"):
            cache.put(keys[path], packed)
        progress(len(outcomes))
    warning = cache.save() if cache is not None else None
    return ReadResult(
        [outcome for _, outcome in sorted(outcomes.items()) if isinstance(outcome, ir.Module)],
        [outcome.problem(path) for path, outcome in sorted(outcomes.items()) if isinstance(outcome, _Failure)],
        [warning] if warning else [],
        cached,
    )


def _lower_all(missing: list[Job], jobs: int | None, meanwhile: Callable[[], None], keep_packed: bool) -> Iterator[tuple[str, Outcome, bytes]]:
    workers = _worker_count(missing, jobs)
    done: set[str] = set()
    if workers > 1:
        for path, packed in _lower_in_parallel(missing, workers, meanwhile):
            outcome = _unpack(memoryview(packed))
            if outcome is None:
                raise AssertionError(f"what a worker sent for {path} cannot be decoded")
            done.add(path)
            yield path, outcome, packed
    for file, data in missing:
        if file.path not in done:
            outcome = lower_file(file, data)
            yield file.path, outcome, _pack(outcome) if keep_packed else b""


def _worker_count(missing: list[Job], jobs: int | None) -> int:
    size = sum(len(data) for _, data in missing)
    if size < _BYTES_WORTH_WORKERS:
        return 1
    available = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(available if jobs is None else jobs, _MOST_WORKERS)


def _lower_in_parallel(missing: list[Job], workers: int, meanwhile: Callable[[], None]) -> Iterator[tuple[str, bytes]]:
    """Yields what the workers made of the files; less than all if processes cannot be started or one is killed."""
    can_fork = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if can_fork else "spawn")
    try:
        with ProcessPoolExecutor(workers, context) as pool:
            batches = pool.map(_lower_batch, list(_batches(missing)))
            meanwhile()
            for results in batches:
                yield from results
    except (BrokenProcessPool, OSError, ImportError):  # no semaphores or no memory in this environment
        return


def _batches(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    batch: list[Job] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job[1])
        if size > _BYTES_PER_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lower_batch(jobs: list[Job]) -> list[tuple[str, bytes]]:
    """Runs in a worker."""
    with without_gc(), fixed_stack(CODING):
        return [(file.path, _pack(lower_file(file, data))) for file, data in jobs]


def lower_file(file: SourceFile, data: bytes) -> Outcome:
    """Returns the module that a file with this content is lowered to, or why it cannot be."""
    try:
        text = file.text if file.text is not None else decode_source(data, file.language).text
        return _LOWER[file.language](file, text)
    except ReadError as error:
        return _Failure(error.line, error.column, error.message, error.kind)
    except Exception as error:  # a mistake of ours: reported with its traceback, and the other files are read
        return _Failure(1, 1, f"ormlint failed on this file: {type(error).__name__}: {error}", "internal", traceback.format_exc())


def _lower_django(file: SourceFile, text: str) -> ir.Module:
    from ormlint.read.django_template import lower_django

    return lower_django(file.path, text)


def _lower_jinja(file: SourceFile, text: str) -> ir.Module:
    from ormlint.read.jinja_template import lower_jinja

    return lower_jinja(file.path, text)


_LOWER: dict[str, Callable[[SourceFile, str], ir.Module]] = {
    "python": lambda file, text: lower_python(file.path, file.name, text, file.is_package),
    "django": _lower_django,
    "jinja": _lower_jinja,
}


def _pack(outcome: Outcome) -> bytes:
    return _MODULE + encode(outcome) if isinstance(outcome, ir.Module) else _FAILURE + msgspec.msgpack.encode(outcome)


def _unpack(packed: memoryview | None) -> Outcome | None:
    """Returns the outcome, or None if there is none or it cannot be decoded."""
    if packed is None:
        return None
    try:
        return decode(packed[1:]) if packed[:1] == _MODULE else msgspec.msgpack.decode(packed[1:], type=_Failure)
    except (CodecError, msgspec.MsgspecError):
        return None
