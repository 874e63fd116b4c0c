from __future__ import annotations

from pathlib import Path

import pytest

from ormlint.config import Config, load_config
from ormlint.problem import UsageError
from ormlint.source.root import find_root


def configured(root: Path, text: str, name: str = "ormlint.toml") -> Config:
    (root / name).write_text(text)
    return load_config(find_root(root))


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "manage.py").touch()
    config = load_config(find_root(tmp_path))
    assert config.select == ("ALL",)
    assert config.origins == {}


def test_pyproject_and_ormlint_toml_have_the_same_keys(tmp_path: Path) -> None:
    text = 'extend-select = ["ORM101"]\npreview = true\ncache-dir = "/var/cache"\ntarget-django = "5.2"\n'
    own = configured(tmp_path, text)
    (tmp_path / "ormlint.toml").unlink()
    shared = configured(tmp_path, f"[tool.ormlint]\n{text}", "pyproject.toml")
    assert (own.extend_select, own.preview, own.cache_dir, own.target_django) == (("ORM101",), True, "/var/cache", "5.2")
    assert own.overridden("", file=shared.file).select == shared.select
    assert shared.origins["preview"].endswith("pyproject.toml")


def test_per_file_ignores_map_patterns_to_rules(tmp_path: Path) -> None:
    config = configured(tmp_path, '[per-file-ignores]\n"scripts/*" = ["ORM3"]\n')
    assert config.per_file_ignores == {"scripts/*": ("ORM3",)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("selct = []", "unknown key `selct`; did you mean `select`?"),
        ("extend_select = []", "unknown key `extend_select`; did you mean `extend-select`?"),
        ("file = 'x'", "unknown key `file`"),
        ('select = "ORM1"', "select: must be a list of strings, not 'ORM1'"),
        ("select = [1]", "select: must be a list of strings, not [1]"),
        ('preview = "yes"', "preview: must be true or false, not 'yes'"),
        ("cache-dir = true", "cache-dir: must be a path, not true"),
        ('target-django = "five"', "target-django: must be a version such as \"5.2\", not 'five'"),
        ('per-file-ignores = ["x"]', "per-file-ignores: must be a table from patterns to lists of rules"),
        ('per-file-ignores = { "x" = "ORM1" }', "per-file-ignores: x: must be a list of strings, not 'ORM1'"),
        ('library = ["stubs/"]', "library: there is no file or directory `stubs/`"),
        ('rules = ["lint_rules"]', "rules: there is no file or directory `lint_rules`"),
        ("select = [", "not valid TOML"),
    ],
)
def test_mistakes_are_errors_that_name_file_key_and_value(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        configured(tmp_path, text)
    assert message in str(raised.value)
    assert str(tmp_path / "ormlint.toml") in str(raised.value)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/stubs").mkdir()
    (tmp_path / "conf/lint.toml").write_text('library = ["stubs"]')
    config = load_config(find_root(tmp_path), tmp_path / "conf/lint.toml")
    assert config.directories(tmp_path, config.library) == ((tmp_path / "conf/stubs").resolve(),)
