from __future__ import annotations

import os
from pathlib import Path

import pytest

from ormlint.problem import UsageError
from ormlint.source.root import find_root
from ormlint.targets import targets_of


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_a_configured_directory_further_up_wins(tmp_path: Path) -> None:
    touch(tmp_path, "ormlint.toml", "backend/manage.py", "backend/shop/models.py")
    root = find_root(tmp_path / "backend/shop/models.py")
    assert (root.path, root.configuration) == (tmp_path, tmp_path / "ormlint.toml")


def test_a_pyproject_without_the_table_is_only_a_marker(tmp_path: Path) -> None:
    touch(tmp_path, "app/x.py")
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    root = find_root(tmp_path / "app")
    assert (root.path, root.configuration, root.marker) == (tmp_path, None, "pyproject.toml")


def test_the_nearest_marker_counts(tmp_path: Path) -> None:
    touch(tmp_path, ".git/HEAD", "backend/manage.py", "backend/shop/models.py")
    assert find_root(tmp_path / "backend/shop").path == tmp_path / "backend"


def test_a_distribution_begins_where_its_setup_is(tmp_path: Path) -> None:
    touch(tmp_path, ".git/HEAD", "old/setup.py", "old/src/shop/models.py", "older/setup.cfg", "older/shop/models.py")
    assert find_root(tmp_path / "old/src/shop").path == tmp_path / "old"
    assert find_root(tmp_path / "older/shop").path == tmp_path / "older"


def test_a_module_called_setup_and_requirements_mark_nothing(tmp_path: Path) -> None:
    touch(tmp_path, ".git/HEAD", "shop/__init__.py", "shop/setup.py", "shop/models.py", "docs/requirements.txt", "docs/conf.py")
    assert find_root(tmp_path / "shop").path == tmp_path
    assert find_root(tmp_path / "docs").path == tmp_path


def test_without_markers_the_directory_outside_the_package_is_the_root(tmp_path: Path) -> None:
    touch(tmp_path, "work/shop/__init__.py", "work/shop/api/__init__.py", "work/shop/api/x.py")
    assert find_root(tmp_path / "work/shop/api").path == tmp_path / "work"


def test_a_pyproject_that_is_not_toml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool\n")
    with pytest.raises(UsageError, match="not valid TOML"):
        find_root(tmp_path)


def test_paths_are_grouped_by_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "one/manage.py", "one/a.py", "two/pyproject.toml", "two/b.py")
    monkeypatch.chdir(tmp_path)
    targets = targets_of(["one/a.py", "two", "one"])
    assert [(target.root.path.name, target.wanted) for target in targets] == [("one", ("a.py", "")), ("two", ("",))]
    assert targets[0].covers("other.py")
    assert targets[1].covers("x/b.py")


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no file or directory `nope`"):
        targets_of(["nope"])


def test_a_path_that_may_not_be_looked_at_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "far").symlink_to("n" * 300)
    with pytest.raises(UsageError, match="`far` cannot be read: File name too long"):
        targets_of(["far"])


@pytest.mark.parametrize("path", ["/nowhere/deep/x.py", "/x.py"])
def test_text_in_a_directory_that_is_not_there_belongs_to_the_current_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    touch(tmp_path, "work/manage.py", "work/shop/x.py")
    monkeypatch.chdir(tmp_path / "work/shop")
    (target,) = targets_of([path], need_not_exist=True)
    assert (target.root.path, target.wanted) == (tmp_path / "work", (Path(os.path.relpath(path, tmp_path / "work")).as_posix(),))


def test_text_in_a_directory_that_is_there_belongs_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "else/y.py", "shop/manage.py", "shop/x.py")
    monkeypatch.chdir(tmp_path / "shop")
    (target,) = targets_of([str(tmp_path / "else/new.py")], need_not_exist=True)
    assert (target.root.path, target.wanted) == (tmp_path / "else", ("new.py",))
    (target,) = targets_of(["api/new.py"], need_not_exist=True)
    assert (target.root.path, target.wanted) == (tmp_path / "shop", ("api/new.py",))
