"""The benchmarks' own logic; their figures are for people."""

from __future__ import annotations

import importlib
import io
import re
import tarfile
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCH))

    def module(name: str) -> ModuleType:
        return importlib.import_module(name)

    return module


def test_the_pins_are_complete(bench) -> None:
    pins = bench("archives").read_pins()
    assert all(re.fullmatch("[0-9a-f]{64}", pin.sha256) and pin.version and pin.about for pin in pins)
    assert max(Counter(pin.name for pin in pins).values()) == 1
    per_orm = Counter(pin.orm for pin in pins)
    assert per_orm.keys() == {"django", "sqlalchemy"}
    assert min(per_orm.values()) >= 8


def test_a_wrong_name_is_refused(bench, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        bench("archives").chosen(["pretix", "pretty"])
    assert refused.value.code == 2
    assert "'pretty'" in capsys.readouterr().err


def test_the_cache_is_outside_the_project(bench) -> None:
    assert not bench("archives").default_cache().is_relative_to(BENCH.parent)


def archive(path: Path, members: dict[str, bytes], link: str = "") -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo(link)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            file.addfile(member)
    return path


def test_only_source_inside_the_folder_is_unpacked(bench, tmp_path: Path) -> None:
    members = {
        "shop-1/shop/models.py": b"a",
        "shop-1/templates/list.html": b"b",
        "shop-1/logo.png": b"c",
        "shop-1/../../outside.py": b"d",
        "/absolute/outside.py": b"e",
        "top.py": b"f",
    }
    count = bench("fetch").unpack(archive(tmp_path / "shop.tar.gz", members, link="shop-1/link.py"), tmp_path / "deep" / "shop")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["deep/shop/shop/models.py", "deep/shop/templates/list.html", "shop.tar.gz"]
    assert count == 2


class Shelf:
    """An index that hands out one file whatever is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def download(self, name: str, version: str, folder: Path) -> Path:
        return self.path


def test_another_archive_than_the_pinned_one_is_refused(bench, tmp_path: Path) -> None:
    path = archive(tmp_path / "shop.tar.gz", {"shop-1/models.py": b"a"})
    pin = bench("archives").Archive("shop", "1", "0" * 64, "django")
    with pytest.raises(ValueError, match="pinned is 0000"):
        bench("fetch").fetch(pin, Shelf(path), tmp_path / "cache")
    assert not path.exists()
    assert not (tmp_path / "cache" / "unpacked").exists()


def test_findings_are_compared_by_fingerprint(bench) -> None:
    def saved(*findings: tuple[str, int]) -> dict:
        rows = [{"fingerprint": mark, "code": "ORM101", "path": "a.py", "line": line, "message": mark} for mark, line in findings]
        return {"shop": {"findings": rows}}

    lines = bench("ecosystem").differences(saved(("same", 1), ("old", 2)), saved(("same", 9), ("new", 3)) | {"other": {"findings": []}})
    assert lines == ["shop: 1 came, 1 went, 1 stayed", "  + a.py:3: ORM101 new", "  - a.py:2: ORM101 old"]


def test_a_crash_is_an_outcome(bench, tmp_path: Path) -> None:
    ecosystem, measure = bench("ecosystem"), bench("measure")
    outcome = ecosystem.check("shop", tmp_path, [measure.sys.executable, "-c", "raise ValueError('lost')"], [])
    assert outcome.is_broken
    assert "CRASH" in ecosystem.row(outcome)
    assert "ValueError: lost" in ecosystem.row(outcome)


def test_failed_tests_are_told_from_lines_of_a_log(bench) -> None:
    printed = """\
ERROR 22/Nov/2026 20:30:28 interlocks no answer
ERROR: test_open (shop.tests.Doors.test_open)
FAIL: test_shut (shop.tests.Doors.test_shut)
FAILED tests/test_doors.py::test_open - assert 1 == 2
ERROR tests/test_doors.py
FAILED (failures=1, errors=1)
"""
    found = bench("own_tests")._FAILED.findall(printed)
    expected = [
        "test_open (shop.tests.Doors.test_open)",
        "test_shut (shop.tests.Doors.test_shut)",
        "tests/test_doors.py::test_open",
        "tests/test_doors.py",
    ]
    assert found == expected


def test_a_finding_is_gone_when_its_query_is_no_longer_reported(bench) -> None:
    def finding(line: int, query: int, access: int = 9) -> dict:
        labels = [("the rows come from here", query), ("this reads `author`", access)]
        related = [{"path": "a.py", "line": place, "label": label} for label, place in labels]
        return {"code": "ORM101", "path": "a.py", "line": line, "message": "loading", "relations": ["author"], "related": related}

    fixes = bench("fixes")
    old, new = {"a.py": b"a\nb\nc\n"}, {"a.py": b"import x\na\nb.with_author\nc\n"}
    moved = fixes.Moved(old, new, ["a.py"])
    assert [moved.place("a.py", line) for line in (1, 2, 3)] == [("a.py", 2), ("a.py", 3), ("a.py", 4)]
    before = [finding(2, query=2, access=3)]
    assert not list(fixes._left(before, before, [], moved))
    assert len(list(fixes._left(before, before, [finding(3, query=3, access=4)], moved))) == 1  # the edited query still lacks it
    assert not list(fixes._left(before, before, [finding(2, query=2, access=4)], moved))  # another query of the same access steps forward
    assert len(list(fixes._left(before, before, [finding(2, query=2, access=8)], moved))) == 1  # an access that was not reported before
