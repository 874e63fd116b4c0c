from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from ormlint.cache import Cache
from ormlint.ir import nodes as ir
from ormlint.problem import Problem
from ormlint.read import files as reading
from ormlint.read.files import ReadResult, SourceFile, read_files

LANGUAGES = {"py": "python", "html": "django", "j2": "jinja"}


def project(root: Path, contents: dict[str, bytes]) -> list[SourceFile]:
    found = []
    for path, data in contents.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        name = path.removesuffix(".py").replace("/", ".")
        found.append(SourceFile(path, str(file), name, False, LANGUAGES[path.rpartition(".")[2]]))
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[SourceFile]:
    contents = {f"app/module_{number}.py": f"x = {number}\nfor a in b:\n    a.c{number}\n".encode() * 20 for number in range(30)}
    contents |= {
        "app/broken.py": b"x = = 1",
        "app/binary.py": b"\0\1",
        "t/page.html": b"{% for a in b %}{{ a.c }}{% endfor %}",
        "t/page.j2": b"{{ a.c() }}",
    }
    return project(tmp_path / "src", contents)


def outcome(result: ReadResult) -> tuple[list[ir.Module], list[Problem]]:
    return result.modules, result.problems


def in_parallel(files: list[SourceFile], cache: Cache | None = None) -> ReadResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_BYTES_WORTH_WORKERS", 0)
        patch.setattr(reading, "_BYTES_PER_BATCH", 2_000)
        return read_files(files, cache, 2)


def test_every_file_becomes_a_module_or_a_problem_in_the_order_of_paths(files: list[SourceFile]) -> None:
    result = read_files(files)
    assert [module.path for module in result.modules] == sorted(file.path for file in files if "b" not in os.path.basename(file.path))
    assert [(problem.path, problem.kind) for problem in result.problems] == [("app/binary.py", "encoding"), ("app/broken.py", "syntax")]
    assert {module.language for module in result.modules} == {"python", "django", "jinja"}
    assert (result.cached, result.warnings) == (0, [])


def test_serial_parallel_and_shuffled_reading_come_to_the_same(files: list[SourceFile]) -> None:
    shuffled = random.Random(3).sample(files, len(files))
    assert outcome(in_parallel(shuffled)) == outcome(read_files(files, None, 1)) == outcome(read_files(shuffled))


def test_the_cache_gives_the_same_and_spares_the_work(files: list[SourceFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = in_parallel(files, Cache(tmp_path / "cache"))
    monkeypatch.setattr(reading, "lower_file", lambda file, data: pytest.fail("lowered again"))
    cached = read_files(files, Cache(tmp_path / "cache"))
    assert outcome(cached) == outcome(fresh)
    assert (fresh.cached, cached.cached) == (0, 32)


def test_only_what_changed_is_lowered_again(files: list[SourceFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_files(files, Cache(tmp_path / "cache"))
    Path(files[3].absolute).write_text("changed = 1", encoding="utf-8")
    lowered = []
    lower = reading.lower_file
    monkeypatch.setattr(reading, "lower_file", lambda file, data: lowered.append(file.path) or lower(file, data))
    result = read_files(files, Cache(tmp_path / "cache"))
    assert lowered == [files[3].path]
    assert outcome(result) == outcome(read_files(files))


def test_a_damaged_cache_is_read_around_and_mended(files: list[SourceFile], tmp_path: Path) -> None:
    expected = outcome(read_files(files, Cache(tmp_path / "cache")))
    (pack,) = (tmp_path / "cache").glob("*.pack")
    data = bytearray(pack.read_bytes())
    for place in range(len(data) // 2, len(data), 50):
        data[place] ^= 0xFF
    pack.write_bytes(data)
    damaged = read_files(files, Cache(tmp_path / "cache"))
    assert outcome(damaged) == expected
    assert damaged.cached < 32
    assert read_files(files, Cache(tmp_path / "cache")).cached == 32


def test_a_cache_that_cannot_be_written_is_one_warning(files: list[SourceFile], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = read_files(files, Cache(tmp_path / "file" / "cache"))
    assert outcome(result) == outcome(read_files(files))
    assert len(result.warnings) == 1


def test_text_given_replaces_what_is_on_disk(tmp_path: Path) -> None:
    (file,) = project(tmp_path, {"a.py": b"x = 1\n"})
    edited = SourceFile(file.path, file.absolute, "a", text="\ufeffé = '日'\r\n")
    unsaved = SourceFile("new.py", str(tmp_path / "absent.py"), "new", text="y = 2")
    cache = tmp_path / "cache"
    for _ in range(2):
        result = read_files([edited, unsaved], Cache(cache))
        assert [module.length for module in result.modules] == [10, 5]
        assert result.problems == []


def test_text_given_is_not_mistaken_for_the_same_bytes_on_disk(tmp_path: Path) -> None:
    text = "# coding: latin-1\nx = 'é'"
    (file,) = project(tmp_path, {"a.py": text.encode()})
    edited = SourceFile(file.path, file.absolute, "a", text=text)
    lengths = [read_files([one], Cache(tmp_path / "cache")).modules[0].length for one in (file, edited, file)]
    assert lengths == [len(text) + 1, len(text), len(text) + 1]


def test_text_with_half_a_surrogate_pair_is_a_problem(tmp_path: Path) -> None:
    for _ in range(2):
        result = read_files([SourceFile("a.py", "", "a", text="x = 1\ny = '\udcff'")], Cache(tmp_path))
        assert result.problems == [Problem("a.py", 2, 6, "half of a surrogate pair is no text", "encoding")]


def problem_of(file: SourceFile) -> Problem:
    (problem,) = read_files([file]).problems
    return problem


def test_what_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    assert problem_of(SourceFile("a.py", str(tmp_path / "a.py"))) == Problem("a.py", 1, 1, "cannot be read: No such file or directory", "io")
    assert problem_of(SourceFile("d.py", str(tmp_path))).kind == "io"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.py")
    assert problem_of(SourceFile("p.py", str(tmp_path / "p.py"))).message == "not a regular file"


def test_a_huge_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ormlint.read.contents.LARGEST_FILE", 2_000_000)
    (file,) = project(tmp_path, {"a.py": b"#" * 2_000_001})
    assert problem_of(file) == Problem("a.py", 1, 1, "larger than 2 MB, not read", "io")


def test_a_mistake_of_ours_is_reported_with_its_traceback_and_never_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = project(tmp_path, {"a.py": b"x = 1", "b.html": b""})

    def fail(file: SourceFile, text: str) -> ir.Module:
        raise KeyError("surprise")

    with monkeypatch.context() as patch:
        patch.setitem(reading._LOWER, "python", fail)
        result = read_files(files, Cache(tmp_path / "cache"))
    assert [module.path for module in result.modules] == ["b.html"]
    (problem,) = result.problems
    assert (problem.kind, problem.message) == ("internal", "ormlint failed on this file: KeyError: 'surprise'")
    assert "in fail" in problem.details
    assert read_files(files, Cache(tmp_path / "cache")).problems == []


@pytest.mark.parametrize("error", [BrokenProcessPool("killed"), OSError("no semaphores"), ImportError("no synchronize")])
def test_without_working_processes_the_rest_is_read_here(files: list[SourceFile], monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Pool:
        def __init__(self, workers: int, context: object) -> None:
            pass

        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *raised: object) -> None:
            pass

        def map(self, function: object, batches: list[list[reading.Job]]) -> Iterator[list[tuple[str, bytes]]]:
            yield reading._lower_batch(batches[0])
            raise error

    expected = outcome(read_files(files))
    monkeypatch.setattr(reading, "ProcessPoolExecutor", Pool)
    assert outcome(in_parallel(files)) == expected


def test_workers_may_be_spawned(files: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome(read_files(files))
    monkeypatch.setattr("threading.active_count", lambda: 2)
    assert outcome(in_parallel(files)) == expected


@pytest.mark.parametrize(
    "source", ["x" + ".y" * 890, "x" + ".y()" * 445, "if a: b\n" + "elif a: b\n" * 430, "not " * 250 + "x", "x[" * 190 + "1" + "]" * 190]
)
def test_whatever_can_be_read_can_be_stored(tmp_path: Path, source: str) -> None:
    files = project(tmp_path, {f"{number}.py": source.encode() for number in range(3)})
    first = in_parallel(files, Cache(tmp_path / "cache"))
    assert (len(first.modules), first.problems) == (3, [])
    assert outcome(read_files(files, Cache(tmp_path / "cache"))) == outcome(first)


def test_progress_counts_up_to_all_files(files: list[SourceFile]) -> None:
    told: list[int] = []
    read_files(files, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == len(files)
