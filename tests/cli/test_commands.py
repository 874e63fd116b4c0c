from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]


def test_the_version_loads_next_to_nothing() -> None:
    code = "import sys; from ormlint.cli import main; main(['--version'], standalone_mode=False); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    version, modules = done.stdout.splitlines()
    assert version.startswith("ormlint ")
    for name in ("libcst", "rich", "msgspec", "pathspec", "ormlint.check", "ormlint.run", "ormlint.judge"):
        assert f"'{name}'" not in modules


def test_python_m_is_the_same_program(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "ormlint", "check", "nope"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (2, "ormlint: error: there is no file or directory `nope`\n")


def test_a_rule_is_explained_by_its_page(project: Path, run: Run) -> None:
    page = run("rule", "ORM001").stdout
    assert page.startswith("# unused-suppression (ORM001)\n")
    assert "## When it is right" in page
    assert run("rule", "unused-suppression").stdout == page
    assert run("rule", "HSE101").stdout == "# house-author (HSE101)\n\nReports every author.\n"


def test_all_rules_are_listed_by_family(project: Path, run: Run) -> None:
    lines = run("rule", "--all").stdout.splitlines()
    assert "suppressions" in lines
    assert "  ORM001  unused-suppression" in {line[:28] for line in lines}
    assert [line.split() for line in lines[:3]] == [
        ["lint"],
        ["HSE101", "house-author", "warning"],
        ["HSE102", "house-preview", "warning", "(preview)"],
    ]


def test_rules_as_data(project: Path, run: Run) -> None:
    (rule,) = json.loads(run("rule", "ORM002", "--output-format", "json").stdout)
    assert rule["documentation"].startswith("# unknown-suppression (ORM002)")
    assert {key: rule[key] for key in ("code", "name", "family", "severity", "stage", "orms")} == {
        "code": "ORM002",
        "name": "unknown-suppression",
        "family": "suppressions",
        "severity": "warning",
        "stage": "stable",
        "orms": ["django", "sqlalchemy"],
    }
    assert len(json.loads(run("rule", "--all", "--output-format", "json").stdout)) > 2


@pytest.mark.parametrize("args", [[], ["ORM001", "--all"], ["ORM9999"]])
def test_a_rule_must_be_named_and_exist(project: Path, run: Run, args: list[str]) -> None:
    assert run("rule", *args).exit_code == 2


def test_the_configuration_tells_where_each_value_comes_from(project: Path, run: Run) -> None:
    lines = run("config").stdout.splitlines()
    assert lines[0] == f"# project root: {project} (it holds ormlint.toml)"
    assert f'select = ["HSE1", "ORM0"]  # {project / "ormlint.toml"}' in lines
    assert "preview = false  # default" in lines


def test_files_are_listed_and_what_is_left_out_is_explained(project: Path, run: Run) -> None:
    assert run("files").stdout.splitlines() == ["shop/__init__.py", "shop/other.py", "shop/views.py"]
    verbose = run("files", "-v").stdout
    assert "shop/views.py  shop.views, python\n" in verbose
    assert "not analysed: lint/  excluded by the configuration\n" in verbose
    assert run("files", "lint").stdout == "not analysed: lint  excluded by the configuration\n"


def test_dev_prints_what_the_stages_produce(project: Path, run: Run) -> None:
    assert "return book.author" in run("dev", "ir", "shop/views.py").stdout
    assert run("dev", "log", "shop/views.py:2").stdout == "shop/views.py:2  lazy object  book.author\n"
    assert run("dev", "log", "shop/other.py").exit_code == 2
    assert run("dev", "schema", "Book").stderr == "ormlint: error: no model `Book`\n"


@pytest.mark.parametrize("name", ["order_rows", "orders.reports:order_rows", "reports.order_rows"])
def test_dev_summary_knows_a_function_by_the_end_of_its_name(run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(ROOT / "examples/shop")
    done = run("dev", "summary", name)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "orders.reports:order_rows")


def test_dev_summary_knows_methods_and_templates(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "examples/shop")
    assert run("dev", "summary", "Order.total").stdout.startswith("orders.models:Order.total\n")
    assert run("dev", "summary", "product_list.html").stdout.startswith("catalogue/product_list.html\n")
    assert run("dev", "summary", "rows").stderr == "ormlint: error: no function `rows` asks anything of the database\n"


def test_an_unknown_command_is_a_mistake(run: Run) -> None:
    assert run("chekc").exit_code == 2
