from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ormlint.api import Orm, Project, QueryLog, Report, Rule, Severity
from ormlint.judge.registry import load_rules, page_of
from ormlint.judge.select import Choice, Layer, choose
from ormlint.problem import UsageError


def nothing(project: Project, log: QueryLog) -> Iterator[Report]:
    yield from ()


def make(code: str, name: str, family: str, *, stable: bool = True, aliases: tuple[str, ...] = ()) -> Rule:
    return Rule(code, name, nothing, Severity.WARNING, stable, (Orm.DJANGO,), f"x.{family}.{name.replace('-', '_')}", aliases)


RULES = (
    make("ORM101", "related-object-in-loop", "n_plus_one"),
    make("ORM102", "related-collection-in-loop", "n_plus_one", aliases=("collection-in-loop",)),
    make("ORM111", "graphql-n-plus-one", "n_plus_one", stable=False),
    make("ORM201", "len-of-query", "evaluation"),
)


def chosen(*layers: Layer, preview: bool = False) -> Choice:
    return choose(RULES, [Layer("the defaults", ["ALL"]), *layers], preview)


def codes(choice: Choice) -> list[str]:
    return [rule.code for rule in choice.rules]


def test_all_stable_rules_run_by_default() -> None:
    assert codes(chosen()) == ["ORM101", "ORM102", "ORM201"]


@pytest.mark.parametrize("selector", ["ORM101", "related-object-in-loop"])
def test_a_rule_is_selected_by_code_or_name(selector: str) -> None:
    assert codes(chosen(Layer("x", [selector]))) == ["ORM101"]


def test_an_alias_is_a_name() -> None:
    assert codes(chosen(Layer("x", ["collection-in-loop"]))) == ["ORM102"]


@pytest.mark.parametrize("selector", ["ORM1", "ORM10", "n-plus-one"])
def test_a_prefix_and_a_family_mean_all_their_rules(selector: str) -> None:
    assert codes(chosen(Layer("x", [selector]))) == ["ORM101", "ORM102"]


def test_the_more_specific_selector_wins_within_a_layer() -> None:
    assert codes(chosen(Layer("x", ["ORM101"], ignore=["ORM1"]))) == ["ORM101"]
    assert codes(chosen(Layer("x", ["ORM1"], ignore=["ORM101"]))) == ["ORM102"]
    assert codes(chosen(Layer("x", ["ALL"], ignore=["n-plus-one"]))) == ["ORM201"]


def test_ignore_wins_among_equals() -> None:
    assert codes(chosen(Layer("x", ["ORM101", "ORM201"], ignore=["ORM101"]))) == ["ORM201"]


def test_select_starts_anew_and_extend_select_adds() -> None:
    base = Layer("the file", ["ORM2"], ignore=["ORM101"])
    assert codes(chosen(base, Layer("the command line", ["ORM101"]))) == ["ORM101"]
    assert codes(chosen(base, Layer("the command line", extend_select=["ORM102"]))) == ["ORM102", "ORM201"]
    assert codes(chosen(base, Layer("the command line", ignore=["ORM201"]))) == []


def test_preview_rules_need_preview() -> None:
    assert codes(chosen(preview=True)) == ["ORM101", "ORM102", "ORM111", "ORM201"]
    quiet = chosen(Layer("x", ["ORM1"]))
    assert (codes(quiet), quiet.warnings) == (["ORM101", "ORM102"], ())
    asked = chosen(Layer("x", ["ORM111"]))
    assert (codes(asked), asked.warnings) == ([], ("`ORM111` is a preview rule and runs only with --preview",))


def test_an_unknown_selector_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"the file: there is no rule `len-of-querys`; did you mean `len-of-query`\?"):
        chosen(Layer("the file", ["len-of-querys"]))
    with pytest.raises(UsageError, match="there is no rule `ORM9`"):
        chosen(Layer("x", ignore=["ORM9"]))


LOCAL = """
from ormlint.api import rule

@rule("{code}", "{name}")
def check(project, log):
    yield from ()
"""


def test_rules_in_a_folder_are_found_by_discovery(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house/no_raw.py").write_text(LOCAL.format(code="HSE101", name="no-raw"))
    (tmp_path / "house/no_raw.md").write_text("# no-raw (HSE101)\n")
    (rule,) = [rule for rule in load_rules([tmp_path]) if rule.code == "HSE101"]
    assert rule.family == "house"
    page = page_of(rule)
    assert page is not None
    assert page.name == "no_raw.md"


def test_two_rules_with_one_code_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "again.py").write_text(LOCAL.format(code="ORM101", name="again"))
    with pytest.raises(UsageError, match="two rules are called `ORM101`"):
        load_rules([tmp_path])


def test_a_rule_file_that_fails_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nowhere_at_all\n")
    with pytest.raises(UsageError, match=r"broken\.py: cannot be imported: ModuleNotFoundError"):
        load_rules([tmp_path])
