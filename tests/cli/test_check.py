from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

import ormlint.run
from tests.cli.conftest import Run

FINDING = "shop/views.py:2:12: HSE101 loading `author` runs one query per row [house-author]"
SCHEMA = json.loads(resources.files("ormlint.report").joinpath("schema.json").read_text(encoding="utf-8"))


def test_findings_exit_with_one(project: Path, run: Run) -> None:
    done = run("check")
    assert done.exit_code == 1
    assert done.stdout == (
        f"{FINDING}\n"
        "    |\n"
        "  2 |     return book.author\n"
        "    |            ^^^^^^^^^^^ this reads `author`\n"
        "    |\n"
        "  help: load `author`\n"
        "\n"
        "Found 1 finding in 1 file.\n"
        "Examined 3 files, 0 models, 0 relations, 1 query, 0 loops, no calls.\n"
    )


def test_no_findings_exit_with_zero(project: Path, run: Run) -> None:
    (project / "shop/views.py").unlink()
    done = run("check")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "No findings.")


def test_exit_zero(project: Path, run: Run) -> None:
    done = run("check", "--exit-zero", "--output-format", "concise", "--quiet")
    assert (done.exit_code, done.stdout) == (0, f"{FINDING}\n")


def test_paths_choose_what_is_reported_and_not_what_is_analysed(project: Path, run: Run) -> None:
    done = run("check", "shop/other.py")
    assert done.exit_code == 0
    assert "Examined 3 files" in done.stdout
    assert run("check", "shop/other.py", "shop/views.py").exit_code == 1
    assert run("check", "shop").exit_code == 1


def test_paths_are_shown_as_seen_from_the_current_directory(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "shop")
    assert run("check", "-q", "--output-format", "concise").stdout.startswith("views.py:2:12:")
    monkeypatch.chdir(project / "lint")
    assert run("check", "-q", "--output-format", "concise", "..").stdout.startswith("../shop/views.py:2:12:")


def test_several_projects_are_checked_one_by_one(project: Path, run: Run) -> None:
    for name in ("one", "two"):
        (project / name).mkdir()
        (project / name / "ormlint.toml").write_text('rules = ["../lint"]\nselect = ["HSE1"]\n')
        (project / name / "views.py").write_text("book.author\n")
    done = run("check", "one", "two", "--output-format", "concise")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()[:2]] == ["one/views.py", "two/views.py"]
    assert "Found 2 findings in 2 files." in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nope.py"], "ormlint: error: there is no file or directory `nope.py`"),
        (["--select", "HSE9"], "ormlint: error: the command line: there is no rule `HSE9`"),
        (["--ignore", "house-autor"], "ormlint: error: the command line: there is no rule `house-autor`; did you mean `house-author`?"),
        (["--selct", "x"], "No such option"),
        (["--output-format", "xml"], "is not one of 'full', 'concise', 'json'"),
        (["--config", "nope.toml"], "'nope.toml' does not exist"),
        (["-"], "`-` needs --stdin-filename"),
        (["--stdin-filename", "x.py"], "--stdin-filename needs `-`"),
        (["--fix", "--diff"], "--fix and --diff cannot be combined"),
        (["--explain", "shop/views.py"], "--explain needs PATH:LINE"),
    ],
)
def test_mistakes_exit_with_two(project: Path, run: Run, args: list[str], message: str) -> None:
    done = run("check", *args)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_mistake_in_the_configuration_exits_with_two(project: Path, run: Run) -> None:
    (project / "ormlint.toml").write_text('rules = ["lint"]\nignroe = ["ORM1"]\n')
    done = run("check")
    assert done.exit_code == 2
    assert done.stderr == f"ormlint: error: {project / 'ormlint.toml'}: unknown key `ignroe`; did you mean `ignore`?\n"


def test_a_table_in_the_file_of_our_own_is_a_mistake(project: Path, run: Run) -> None:
    (project / "ormlint.toml").write_text('[tool.ormlint]\nrules = ["lint"]\n')
    done = run("check")
    assert done.exit_code == 2
    assert "the keys below `[tool.ormlint]` stand at the top of a file that is ormlint's own" in done.stderr


def test_an_interruption_exits_like_that_of_others(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(modules: object, options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ormlint.run, "analyse", interrupted)
    done = run("check")
    assert (done.exit_code, done.stdout, done.stderr) == (130, "", "ormlint: interrupted\n")


def test_an_unknown_rule_in_per_file_ignores_is_a_mistake(project: Path, run: Run) -> None:
    (project / "ormlint.toml").write_text('[per-file-ignores]\n"x/*" = ["ORM9"]\n')
    done = run("check")
    assert done.exit_code == 2
    assert "per-file-ignores: x/*: there is no rule `ORM9`" in done.stderr


def test_selection_on_the_command_line(project: Path, run: Run) -> None:
    assert run("check", "--ignore", "HSE1").exit_code == 0
    assert run("check", "--select", "ORM1,HSE101").exit_code == 1
    assert "HSE102" in run("check", "--preview").stdout
    asked = run("check", "--select", "HSE102")
    assert (asked.exit_code, asked.stderr) == (0, "ormlint: warning: `HSE102` is a preview rule and runs only with --preview\n")


def test_per_file_ignores(project: Path, run: Run) -> None:
    with (project / "ormlint.toml").open("a") as file:
        file.write('[per-file-ignores]\n"shop/*" = ["house-author"]\n')
    assert run("check").exit_code == 0


def test_tests_and_migrations_are_left_out_unless_asked_for(project: Path, run: Run) -> None:
    (project / "shop/tests.py").write_text("book.author\n")
    (project / "shop/migrations").mkdir()
    (project / "shop/migrations/0001_initial.py").write_text("book.author\n")

    def paths(*args: str) -> list[str]:
        return [line.partition(":")[0] for line in run("check", "-q", "--output-format", "concise", *args).stdout.splitlines()]

    assert paths() == ["shop/views.py"]
    assert paths("--include-tests") == ["shop/tests.py", "shop/views.py"]
    assert paths("--include-migrations") == ["shop/migrations/0001_initial.py", "shop/views.py"]
    assert paths("shop/tests.py") == []


def test_a_comment_silences_and_an_unused_one_is_reported(project: Path, run: Run) -> None:
    (project / "shop/views.py").write_text("book.author  # ormlint: ignore[HSE101] one book\nx = 1  # ormlint: ignore[HSE101]\n")
    done = run("check", "-q", "--output-format", "concise")
    assert done.stdout == "shop/views.py:2:26: ORM001 the comment silences `HSE101`, but there is nothing to silence here [unused-suppression]\n"


def test_json_follows_its_schema(project: Path, run: Run) -> None:
    (project / "shop/broken.py").write_text("def (:\n")
    done = run("check", "--output-format", "json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert done.exit_code == 1
    assert [found["code"] for found in document["findings"]] == ["HSE101"]
    assert [(error["path"], error["kind"]) for error in document["errors"]] == [("shop/broken.py", "syntax")]


def test_a_file_that_cannot_be_parsed_is_reported_and_the_rest_goes_on(project: Path, run: Run) -> None:
    (project / "shop/broken.py").write_text("x = 1\ndef (:\n")
    done = run("check", "-q", "--output-format", "concise")
    broken, finding = done.stdout.splitlines()
    assert broken.startswith("shop/broken.py:2:5: error: ")
    assert finding == FINDING
    elsewhere = run("check", "shop/other.py")
    assert elsewhere.exit_code == 0
    assert "shop/broken.py:2:5: error: " in elsewhere.stdout


def test_a_rule_that_fails_exits_with_two_and_the_rest_is_reported(project: Path, run: Run) -> None:
    (project / "lint/bad.py").write_text('from ormlint.api import rule\n@rule("HSE103", "house-bad")\ndef check(project, log):\n    yield 1 / 0\n')
    done = run("check", "-q", "--output-format", "concise")
    assert done.exit_code == 2
    assert done.stdout.splitlines() == ["internal error: the rule HSE103 [house-bad] failed: ZeroDivisionError('division by zero')", FINDING]
    assert run("check", "--exit-zero").exit_code == 2


def test_an_engine_that_fails_exits_with_two(project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(modules: object, options: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(ormlint.run, "analyse", fails, raising=False)
    done = run("check", "--verbose")
    assert done.exit_code == 2
    assert "internal error: the analysis failed: ZeroDivisionError('oh')" in done.stdout
    assert "in fails" in done.stdout


def test_statistics_instead_of_findings(project: Path, run: Run) -> None:
    assert run("check", "-q", "--statistics").stdout == "1  HSE101  house-author\n"


def test_a_path_where_nothing_is_analysed_is_mentioned(project: Path, run: Run) -> None:
    done = run("check", "lint")
    assert (done.exit_code, done.stderr) == (0, "ormlint: warning: nothing is analysed at lint: excluded by the configuration\n")


class TestStandardInput:
    def test_the_text_replaces_the_file(self, project: Path, run: Run) -> None:
        done = run("check", "-q", "--output-format", "concise", "--stdin-filename", "shop/other.py", "-", text="book.author\n")
        assert done.stdout == "shop/other.py:1:1: HSE101 loading `author` runs one query per row [house-author]\n"

    def test_the_file_need_not_exist(self, project: Path, run: Run) -> None:
        done = run("check", "-q", "--output-format", "concise", "--stdin-filename", "shop/new.py", "-", text="book.author\n")
        assert done.stdout.startswith("shop/new.py:1:1: HSE101")

    def test_a_file_elsewhere_is_one_more_file_of_the_project(self, project: Path, run: Run) -> None:
        done = run("check", "--output-format", "concise", "--stdin-filename", "/nowhere/x.py", "-", text="book.author\n")
        assert done.stdout.splitlines()[0].endswith("nowhere/x.py:1:1: HSE101 loading `author` runs one query per row [house-author]")
        assert "Examined 4 files" in done.stdout

    def test_fixing_prints_the_text_and_reports_beside_it(self, project: Path, run: Run) -> None:
        done = run("check", "-q", "--fix", "--stdin-filename", "shop/other.py", "-", text="book.author\r\n")
        assert done.stdout_bytes == b"book.author\r\n"
        assert "HSE101" in done.stderr


class TestColour:
    def test_none_in_a_pipe(self, project: Path, run: Run) -> None:
        assert "\x1b" not in run("check").stdout

    def test_forced(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b[" in run("check").stdout

    def test_never_with_no_color(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b" not in run("check").stdout

    def test_json_has_none(self, project: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b" not in run("check", "--output-format", "json").stdout


def test_explain_tells_why_a_line_is_reported_or_not(project: Path, run: Run) -> None:
    assert "reported: HSE101 loading `author` runs one query per row at shop/views.py:2" in run("check", "--explain", "shop/views.py:2").stdout
    silenced = run("check", "--ignore", "HSE101", "--explain", "shop/views.py:2").stdout
    assert "reported" not in silenced
    assert "event: shop/views.py:2  lazy object  book.author" in silenced
    assert "nothing on this line was understood" in run("check", "--explain", "shop/views.py:1").stdout
    (project / "shop/tests.py").write_text("book.author\n")
    assert "stands in a test" in run("check", "--explain", "shop/tests.py:1").stdout
    assert "is not analysed: excluded by the configuration" in run("check", "--explain", "lint/house.py:1").stdout


def test_the_cache_is_used_unless_it_is_turned_off(project: Path, run: Run) -> None:
    run("check", "--no-cache")
    assert not (project / ".ormlint_cache").exists()
    first = run("check").stdout
    assert list((project / ".ormlint_cache").iterdir())
    assert run("check").stdout == first
