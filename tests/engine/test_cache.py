from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ormlint import cache
from ormlint.cache import Cache, entry_key


def saved(directory: Path, entries: dict[bytes, bytes]) -> Cache:
    stored = Cache(directory)
    for key, content in entries.items():
        stored.put(key, content)
    assert stored.save() is None
    return stored


def stored_in(directory: Path, *keys: bytes) -> list[bytes | None]:
    found = Cache(directory)
    contents = [found.get(key) for key in keys]
    return [None if content is None else bytes(content) for content in contents]


def test_what_was_stored_is_found_by_the_next_run(tmp_path: Path) -> None:
    saved(tmp_path / "new" / "cache", {b"a": b"one", b"b": b""})
    assert stored_in(tmp_path / "new" / "cache", b"a", b"b", b"c") == [b"one", b"", None]


def test_the_directory_says_what_it_is(tmp_path: Path) -> None:
    saved(tmp_path, {b"a": b"one"})
    assert (tmp_path / "CACHEDIR.TAG").read_text(encoding="utf-8").startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert sorted(file.suffix for file in tmp_path.iterdir() if file.name not in ("CACHEDIR.TAG", ".gitignore")) == [".pack"]


def test_nothing_is_written_without_news(tmp_path: Path) -> None:
    pack = saved(tmp_path, {b"a": b"one"}).path
    before = pack.stat().st_mtime_ns, pack.stat().st_ino
    again = Cache(tmp_path)
    assert again.get(b"a") == b"one"
    assert again.save() is None
    assert (pack.stat().st_mtime_ns, pack.stat().st_ino) == before


def test_a_key_depends_on_all_that_decides_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    base = entry_key(b"x", "a.py", "a", False, "python")
    others = [
        entry_key(b"y", "a.py", "a", False, "python"),
        entry_key(b"x", "b.py", "a", False, "python"),
        entry_key(b"x", "a.py", "b", False, "python"),
        entry_key(b"x", "a.py", "a", True, "python"),
        entry_key(b"x", "a.py", "a", False, "django"),
    ]
    monkeypatch.setattr(cache, "reader_fingerprint", lambda: "another version")
    others.append(entry_key(b"x", "a.py", "a", False, "python"))
    monkeypatch.undo()
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    others.append(entry_key(b"x", "a.py", "a", False, "python"))
    assert len({base, *others}) == 8


@pytest.mark.parametrize("length", [0, 5, 15, 18, 19, 25, 60])
def test_a_truncated_pack_gives_what_is_whole_and_is_rewritten(tmp_path: Path, length: int) -> None:
    pack = saved(tmp_path, {b"a": b"one" * 5, b"b": b"two" * 5}).path
    whole = pack.read_bytes()
    assert len(whole) > 60
    pack.write_bytes(whole[:length])
    assert stored_in(tmp_path, b"b") == [None]
    saved(tmp_path, {b"a": b"one" * 5, b"b": b"two" * 5})
    assert stored_in(tmp_path, b"a", b"b") == [b"one" * 5, b"two" * 5]


def test_no_changed_byte_ever_gives_wrong_content(tmp_path: Path) -> None:
    pack = saved(tmp_path, {b"a": b"one", b"b": b"two"}).path
    whole = pack.read_bytes()
    for place in range(len(whole)):
        pack.write_bytes(whole[:place] + bytes([whole[place] ^ 0x11]) + whole[place + 1 :])
        assert stored_in(tmp_path, b"a")[0] in (b"one", None)
        assert stored_in(tmp_path, b"b")[0] in (b"two", None)


def test_what_recent_runs_did_not_use_is_kept_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_KEPT_BYTES", 9)
    saved(tmp_path, {b"a": b"12345", b"b": b"12345", b"c": b"12345"})
    again = Cache(tmp_path)
    again.get(b"c")
    again.put(b"d", b"1")
    again.save()
    assert stored_in(tmp_path, b"a", b"b", b"c", b"d") == [b"12345", None, b"12345", b"1"]


def test_packs_of_other_versions_are_removed_and_those_of_other_interpreters_kept(tmp_path: Path) -> None:
    own = saved(tmp_path, {b"a": b"one"}).path
    old = tmp_path / "modules-311-0000000000000000.pack"
    other = own.with_name(f"modules-399-{cache.reader_fingerprint()}.pack")
    old.touch()
    other.touch()
    saved(tmp_path, {b"b": b"two"})
    assert sorted(tmp_path.glob("*.pack")) == sorted([own, other])


def test_two_runs_at_once_leave_one_whole_pack(tmp_path: Path) -> None:
    first, second = Cache(tmp_path), Cache(tmp_path)
    first.put(b"a", b"one")
    second.put(b"b", b"two")
    assert (first.save(), second.save()) == (None, None)
    assert stored_in(tmp_path, b"b") == [b"two"]
    assert not list(tmp_path.glob("*.tmp"))


def test_a_place_that_cannot_be_written_costs_one_warning(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    useless = Cache(blocked / "cache")
    useless.put(b"a", b"one")
    warning = useless.save()
    assert warning is not None
    assert "nothing can be cached in" in warning
    assert useless.get(b"a") is None or useless.get(b"a") == b"one"


def test_a_failed_write_leaves_the_old_pack_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, {b"a": b"one"})

    def fail(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    again = Cache(tmp_path)
    again.put(b"b", b"two")
    assert again.save() == f"nothing can be cached in {tmp_path}: No space left on device"
    assert stored_in(tmp_path, b"a", b"b") == [b"one", None]
    assert not list(tmp_path.glob("*.tmp"))
