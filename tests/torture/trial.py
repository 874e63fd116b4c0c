"""What becomes of every piece of work: all its shapes are the files of one project, fixed in place and run before and after."""

from __future__ import annotations

import codecs
import io
import json
import re
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from ormlint.check import check
from ormlint.config import load_config
from ormlint.fixes import MAX_PASSES, apply_fixes
from ormlint.judge.finding import Applicability, Finding
from ormlint.report.result import Result
from ormlint.request import Request
from ormlint.source.root import Root, configuration_in
from ormlint.targets import Target
from tests.cases.execution import write_files
from tests.generated import django_projects, sqlalchemy_projects
from tests.generated.runner import Outcome, Zygote
from tests.torture import django_works, sqlalchemy_works
from tests.torture.program import Inapplicable, Program, begun
from tests.torture.shapes import SHAPES
from tests.torture.work import Gain, Work

# Not told: what the fixed programs give rise to (unused loads, columns that nobody reads), what is wrong with the models they share, and
# statements that an async function does not await: the programs have no event loop.
UNTOLD = ("ORM116", "ORM404", "ORM601")
CONFIG = """preview = true
ignore = {ignored}
per-file-ignores = { "*/models.py" = ["ALL"] }
"""
_ADDRESS = re.compile(r"0x\w+")
_IMPORT = re.compile(rb"(?:\xef\xbb\xbf)?(?:from|import)\b|    \w+,|\)")
WORKS: Mapping[str, Work] = {work.fixer: work for work in (*django_works.WORKS, *sqlalchemy_works.WORKS)}


@dataclass(frozen=True)
class Cell:
    """A piece of work in one shape: its files before and after, what was found in them, and what they did when they ran."""

    program: Program
    path: str
    before: dict[str, bytes]
    after: dict[str, bytes]
    found: tuple[Finding, ...]
    left: tuple[Finding, ...]
    old: Outcome
    new: Outcome

    @property
    def is_fixed(self) -> bool:
        """Whether anything was changed."""
        return self.after != self.before


@dataclass(frozen=True)
class Trial:
    """All shapes of a piece of work; `strays` are files of the project that changed and must not."""

    cells: dict[str, Cell | Inapplicable]
    strays: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Failed:
    error: Exception


def trial_of(fixer: str) -> Trial:
    """Returns what became of a piece of work. Raises what went wrong, again for each who asks."""
    result = _tried(fixer)
    if isinstance(result, _Failed):
        raise result.error
    return result


@lru_cache
def _tried(fixer: str) -> Trial | _Failed:
    try:
        return _trial(WORKS[fixer])
    except Exception as error:  # a cache does not remember what is raised, and the next cell would try anew
        return _Failed(error)


def programs(work: Work) -> dict[str, Program | Inapplicable]:
    """Returns the piece of work in every shape."""
    home = django_works if work in django_works.WORKS else sqlalchemy_works
    unfit = {name: Inapplicable(reason) for name, reason in work.unfit}
    return {name: unfit.get(name) or shape(begun(work, home.MODELS, home.PACKAGE, number)) for number, (name, shape) in enumerate(SHAPES.items())}


def _trial(work: Work) -> Trial:
    is_django = work in django_works.WORKS
    projects = django_projects if is_django else sqlalchemy_projects
    models = {**projects.models_of(projects.OPTIONS[work.models]), **{path: text for path, text in work.files if "{n}" not in path}}
    shaped = programs(work)
    files: dict[str, dict[str, bytes]] = {}
    for shape, program in shaped.items():
        if isinstance(program, Program):
            further = {path.replace("{n}", str(program.number)): text for path, text in work.files if "{n}" in path}
            own = {program.file: program.text(), **program.files, **further}
            files[shape] = {f"{program.package}/{name}": text.encode(program.encoding) for name, text in own.items()}
    config = CONFIG.replace("{ignored}", json.dumps([code for code in UNTOLD if code not in work.codes]))
    before, after, result = _fixed(config, {path: text for path, text in models.items() if path != "fill.py"}, files)
    zygote = Zygote.of("django" if is_django else "sqlalchemy", models)
    old, new = (_run(zygote, files, texts) for texts in (None, after))
    cells: dict[str, Cell | Inapplicable] = {shape: program for shape, program in shaped.items() if isinstance(program, Inapplicable)}
    for shape, own in files.items():
        program = shaped[shape]
        assert isinstance(program, Program)
        found, left = (tuple(each for each in findings if _is_in(each, own)) for findings in (before, result.findings))
        path = f"{program.package}/{program.file}"
        cells[shape] = Cell(program, path, own, {path: after[path] for path in own}, found, left, old[shape], new[shape])
    known = (
        {"ormlint.toml": config.encode()}
        | {path: text.encode() for path, text in models.items()}
        | {path: data for own in files.values() for path, data in own.items()}
    )
    strays = tuple(path for path, data in after.items() if data != known.get(path, b"") and not any(path in own for own in files.values()))
    return Trial(cells, strays, tuple(str(problem) for problem in result.problems))


def _fixed(config: str, models: Mapping[str, str], files: Mapping[str, dict[str, bytes]]) -> tuple[list[Finding], dict[str, bytes], Result]:
    """Returns the findings before, the files after fixing, and what was left to say then."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write_files(root, {**models, "ormlint.toml": config})
        for own in files.values():
            for path, data in own.items():
                (root / path).parent.mkdir(exist_ok=True)
                (root / path).write_bytes(data)
        place = Root(root, configuration_in(root), "")
        request = Request(Target(place, ("",)), load_config(place), use_cache=False, jobs=1)
        result = check(request)
        before = result.findings
        for _ in range(MAX_PASSES):
            outcome = apply_fixes(result.findings, str(root), result.texts.__getitem__, unsafe=True)
            assert not outcome.problems, outcome.problems
            if not outcome.written:
                break
            result = check(request)
        return before, {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}, result


def _run(zygote: Zygote, files: Mapping[str, dict[str, bytes]], texts: Mapping[str, bytes] | None) -> dict[str, Outcome]:
    """Returns what the programs did, by shape, run as they were or as they are in `texts`."""
    modules = {shape: next(iter(own)).removesuffix(".py").replace("/", ".") for shape, own in files.items()}
    entry = "\n".join(f"from {module} import main as case_{number}" for number, module in enumerate(modules.values()))
    own = {
        path: (texts[path] if texts is not None else data).decode("utf-8", "surrogateescape")
        for each in files.values()
        for path, data in each.items()
    }
    outcomes = zygote.run("entry", {**own, "entry.py": f"{entry}\n"})
    return {
        shape: replace(outcome, outputs=tuple(_ADDRESS.sub("0x", text) for text in outcome.outputs))
        for shape, outcome in zip(modules, outcomes, strict=True)
    }


def _is_in(finding: Finding, own: Mapping[str, bytes]) -> bool:
    sites = [finding.site, *(label.site for label in finding.labels), *finding.elsewhere]
    return any(site.path in own for site in sites)


# ------------------------------------------------------------------------------------------------------- what has to hold
def faults(cell: Cell, codes: frozenset[str]) -> Iterator[str]:
    """Yields what is wrong about a piece of work, of whose reports those of `codes` were to be fixed."""
    work = cell.program.work
    found, left = (Counter(finding.code for finding in findings) for findings in (cell.found, cell.left))
    yield from (f"{code} was not found" for code in codes if not found[code])
    yield from (f"{code} is still found" for code in codes if left[code])
    yield from (f"{code} is new" for code, count in left.items() if count > found[code])
    yield from (f"a fix of {finding.code} is offered once more" for finding in cell.left if is_offered(finding))
    for path, data in cell.before.items():
        if path.endswith(".py"):
            yield from _faults_of_file(data, cell.after[path])
    if "failed" in cell.new.outputs[1]:
        yield f"it fails: {cell.new.outputs}"
    if work.gain is Gain.REPAIR:
        if cell.new.outputs == cell.old.outputs:
            yield f"it prints the same: {cell.new.outputs}"
        return
    if cell.new.outputs != cell.old.outputs:
        yield f"it prints another thing: {cell.old.outputs} {cell.new.outputs}"
    (none, many), (none_before, many_before) = cell.new.statements, cell.old.statements
    unsafe = any(is_offered(finding) and finding.fix and finding.fix.applicability is Applicability.UNSAFE for finding in cell.found)
    if work.gain is Gain.QUERIES and (many >= many_before or none > none_before + unsafe):
        yield f"it sends no fewer statements: {cell.old.statements} {cell.new.statements}"


def is_offered(finding: Finding) -> bool:
    """Whether `--fix --unsafe-fixes` changes something for a finding."""
    return finding.fix is not None and finding.fix.applicability is not Applicability.DISPLAY


def _faults_of_file(before: bytes, after: bytes) -> Iterator[str]:
    try:
        compile(after, "after", "exec")
    except (SyntaxError, ValueError) as error:
        yield f"it is no Python any more: {error}"
        return
    lost = _comments(before) - _comments(after)
    if lost:
        yield f"comments are lost: {list(lost)}"
    if _manners(before) != _manners(after):
        yield f"it has other manners: {_manners(before)} {_manners(after)}"
    yield from (f"a line of others has changed: {line!r}" for line in _of_others(before) - _of_others(after))


def _comments(data: bytes) -> Counter[str]:
    return Counter(token.string.strip() for token in tokenize.tokenize(io.BytesIO(data).readline) if token.type == tokenize.COMMENT)


def _manners(data: bytes) -> tuple[object, ...]:
    """Returns what a file keeps: its mark, its line endings, its end, what it is indented with."""
    lone = data.replace(b"\r\n", b"").count(b"\n") if b"\r\n" in data else 0
    return data[:3] == codecs.BOM_UTF8, b"\r\n" in data, lone, data[-1:] == b"\n", b"\n    " in data, b"\n\t" in data


def _of_others(data: bytes) -> Counter[bytes]:
    """Returns the lines that no fix has to touch: those before and behind the work, but not the imports."""
    lines = data.splitlines(keepends=True)
    start = next((number for number, line in enumerate(lines) if line.startswith(b"ODD ")), 0)
    end = next((number for number, line in enumerate(lines) if line.startswith(b"def  odd(")), len(lines))
    head = [line for line in lines[: start + 1] if not _IMPORT.match(line)]
    return Counter([*head, *lines[end:]])
