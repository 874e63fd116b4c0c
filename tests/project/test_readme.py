"""What the README shows is so: commands, configuration, comments, rules, excerpts and output."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ormlint.cli import main
from ormlint.config import SETTINGS, key_of, load_config
from ormlint.judge.registry import load_rules
from ormlint.source.root import find_root

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"(?:<!-- (?P<mark>\w+): (?P<argument>.*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
MODELS = """
from django.db import models

class Editor(models.Model):
    name = models.CharField(max_length=9)

class Section(models.Model):
    editor = models.ForeignKey(Editor, on_delete=models.CASCADE)

class Record(models.Model):
    name = models.CharField(max_length=9)
"""


def fences(language: str, mark: str | None = None) -> list[re.Match[str]]:
    return [found for found in FENCE.finditer(README) if found["language"] == language and (mark is None or found["mark"] == mark)]


def commands() -> Iterator[list[str]]:
    """Yields the words of every call of ormlint in the shell fences, without the program's name."""
    for fence in fences("sh"):
        for line in fence["text"].splitlines():
            for part in line.split("#")[0].split("&&"):
                words = shlex.split(part)
                if words and words[0].endswith("ormlint"):
                    yield words[1:]


def inline_commands() -> Iterator[list[str]]:
    for text in re.findall(r"`ormlint ([^`]+)`", README):
        yield shlex.split(text)


def contributing_commands() -> Iterator[list[str]]:
    for line in re.findall(r"^    ormlint (.*?)(?:  .*)?$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE):
        yield shlex.split(line)


def options(*names: str) -> set[str]:
    """Returns the options of a command; fails if there is no such command."""
    command: click.Command = main
    for name in names:
        if not isinstance(command, click.Group):
            break
        context = click.Context(command)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command `{name}`"
        command = found
    return {option for parameter in command.get_params(click.Context(command)) for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("words", [*commands(), *inline_commands(), *contributing_commands()], ids=" ".join)
def test_every_command_exists_with_its_options(words: list[str]) -> None:
    assert {word.split("=")[0] for word in words[1:] if re.match(r"--\w", word)} <= options(*words)


def test_every_option_named_in_the_text_exists() -> None:
    text = FENCE.sub("", README)
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= options("check") | options("rule")


def test_the_configuration_loads_and_names_every_key(tmp_path: Path) -> None:
    [fence] = fences("toml")
    (tmp_path / "pyproject.toml").write_text(re.sub(r"^(library|rules) = .*", r"\1 = []", fence["text"], flags=re.MULTILINE), encoding="utf-8")
    config = load_config(find_root(tmp_path))
    assert config.small_models
    written = set(re.findall(r"^([\w-]+) =", fence["text"], re.MULTILINE)) | {"per-file-ignores"}
    assert written == {key_of(name) for name in SETTINGS}


def test_the_table_of_families_has_all_there_are() -> None:
    table = re.findall(r"^\| ([\w-]+) \| ORM(\d)xx \|", README, re.MULTILINE)
    assert {(rule.family, rule.code[3]) for rule in load_rules()} <= set(table)


def test_the_suppressions_silence_what_they_name(tmp_path: Path) -> None:
    [snippet] = [fence["text"] for fence in fences("python") if "ormlint: ignore" in fence["text"]]
    head = "from press.models import Record, Section\n\ndef report():\n    for name in Section.objects.values_list('name', flat=True):\n"
    body = head + textwrap.indent(snippet, " " * 8)
    (tmp_path / "press").mkdir()
    for name, text in {"press/__init__.py": "", "press/models.py": MODELS, "press/report.py": body, "manage.py": ""}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    silent = ormlint(tmp_path, "check", ".", "--output-format", "concise")
    (tmp_path / "press/report.py").write_text(re.sub(r"#.*", "", body), encoding="utf-8")
    loud = ormlint(tmp_path, "check", ".", "--output-format", "concise")
    assert "ORM" not in silent, silent
    assert set(re.findall(r"ORM\d+", loud)) == {"ORM101", "ORM103", "ORM201"}, loud


def test_the_excerpt_is_the_example() -> None:
    [fence] = fences("python", "excerpt")
    pieces = re.split(r"^# (\S+\.py)\n", fence["text"], flags=re.MULTILINE)[1:]
    assert len(pieces) >= 4
    for path, piece in zip(pieces[::2], pieces[1::2], strict=True):
        original = (ROOT / "examples" / fence["argument"] / path).read_text(encoding="utf-8")
        for part in re.split(r"\n{2,}|(?<=:)\n(?=    @)", piece.strip()):
            assert part.strip("\n") in original, f"{path} does not contain:\n{part}"


def test_the_output_is_what_the_command_prints() -> None:
    [fence] = fences("text", "output")
    words = shlex.split(fence["argument"])
    assert words[0] == "ormlint"
    printed = ormlint(ROOT / "examples" / "shop", *words[1:], "--no-cache").rstrip()
    if os.environ.get("ORMLINT_UPDATE"):
        (ROOT / "README.md").write_text(README[: fence.start("text")] + printed + "\n" + README[fence.end("text") :], encoding="utf-8")
    else:
        assert fence["text"].rstrip() == printed


def test_the_cure_in_the_other_file_silences_it(tmp_path: Path) -> None:
    [(cure)] = re.findall(r"gets its `(\.?select_related\S+)`", README)
    shop = Path(shutil.copytree(ROOT / "examples" / "shop", tmp_path / "shop"))
    queries = shop / "orders" / "queries.py"
    text = queries.read_text(encoding="utf-8")
    before = "Order.objects.filter(placed_at__gte=days_ago(days))"
    assert before in text
    queries.write_text(text.replace(before, f"{before}.{cure}"), encoding="utf-8")
    assert "ORM1" not in ormlint(shop, "check", "orders/reports.py", "orders/models.py", "--output-format", "concise")


def test_the_hook_exists() -> None:
    [fence] = fences("yaml")
    [name] = re.findall(r"- id: (\S+)", fence["text"])
    assert f"- id: {name}\n" in (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")


def test_ci_sets_up_and_runs_the_tests_as_the_readme_says() -> None:
    [line] = [line for fence in fences("sh") for line in fence["text"].splitlines() if "pytest" in line]
    steps = [re.sub(r"\S*bin/", "", step).replace('"', "").split() for step in line.split("&&")]
    ci = re.sub(r"\S*bin/", "", (ROOT / ".ci" / "run").read_text(encoding="utf-8")).replace("'", "").replace('"', "")
    for wanted in steps[1:]:
        assert any(set(wanted) <= set(found.split()) for found in ci.splitlines()), wanted


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "examples/README.md"])
def test_every_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


def ormlint(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "ormlint", *arguments], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
