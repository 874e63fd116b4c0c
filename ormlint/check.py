"""The pipeline: discover → read → run → judge → fix, for one project.

The whole project is analysed; the paths asked about only choose what is reported.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ormlint.inputs import Inputs
from ormlint.ir.nodes import Module
from ormlint.judge.assemble import Judgement, judge
from ormlint.judge.grading import Grading
from ormlint.judge.layers import Layer
from ormlint.judge.project import Project
from ormlint.judge.registry import load_rules, page_of
from ormlint.judge.rule import Rule
from ormlint.judge.select import Choice, choose, resolve
from ormlint.library.django_releases import ASSUMED, newest_that_runs
from ormlint.link.failing_imports import fails_to_import
from ormlint.link.schema import Schema
from ormlint.problem import Problem, UsageError
from ormlint.read.contents import SourceFile, content_of
from ormlint.read.decoding import decode_source
from ormlint.read.errors import ReadError
from ormlint.report.result import Result
from ormlint.request import Request
from ormlint.run.log import Analysis
from ormlint.source.discovery import Discovery
from ormlint.source.ignore import Patterns
from ormlint.source.roles import Role, is_done_once, role_of
from ormlint.suggest import nearest
from ormlint.text import LineIndex, Site

Tell = Callable[[str], None]


class SourceTexts(Mapping[str, str]):
    """The texts of the files that were read, by path; each is decoded when it is first asked for.

    Raises ReadError for a file that cannot be read.
    """

    def __init__(self, files: Iterable[SourceFile]) -> None:
        self._files = {file.path: file for file in files}
        self._known: dict[str, str] = {}

    def __getitem__(self, path: str) -> str:
        known = self._known.get(path)
        if known is None:
            file = self._files[path]
            known = file.text if file.text is not None else decode_source(content_of(file), file.language).text
            self._known[path] = known
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: object) -> bool:
        return path in self._files


@dataclass(slots=True)
class Rules:
    """The rules there are, those that run, and whose fixes count as safe."""

    every: tuple[Rule, ...]
    choice: Choice
    grading: Grading

    @classmethod
    def of(cls, request: Request) -> Rules:
        """Returns the rules for a request; raises UsageError for rules that cannot be loaded and selectors that mean none."""
        config = request.config
        every = load_rules(config.directories(request.root, config.rules))
        origin = str(config.file or "the default configuration")
        base = Layer(origin, config.select, config.extend_select, config.ignore)
        for pattern, selectors in config.per_file_ignores.items():
            for selector in selectors:
                resolve(selector, every, f"{origin}: per-file-ignores: {pattern}")
        grading = Grading.of(every, config.extend_safe_fixes, config.extend_unsafe_fixes, origin)
        return cls(every, choose(every, (base, *request.layers), config.preview), grading)


class Examination:
    """The stages of one run, each computed when it is first asked for; `ormlint dev` looks at the ones in between."""

    def __init__(self, request: Request, tell: Tell = lambda stage: None, inputs: Inputs | None = None) -> None:
        self.request = request
        self.inputs = inputs or Inputs(request)
        self.tell = tell
        self.problems: list[Problem] = []
        self.warnings: list[str] = []

    @cached_property
    def discovery(self) -> Discovery:
        """The files of the project."""
        self.tell("Looking for files")
        found = self.inputs.discovery
        self.problems += found.problems
        return found

    @cached_property
    def texts(self) -> SourceTexts:
        """The texts of all files found."""
        return SourceTexts(self.inputs.files)

    @cached_property
    def modules(self) -> list[Module]:
        """The files in the intermediate language, those that cannot be read left out."""
        from ormlint.cache import Cache
        from ormlint.read.files import read_files

        self.tell(f"Reading {len(self.discovery.files)} files")
        config = self.request.config
        cache = Cache(*config.directories(self.request.root, [config.cache_dir])) if self.request.use_cache else None
        read = read_files(self.inputs.files, cache, self.request.jobs, meanwhile=_load_later_stages)
        self.problems += read.problems
        self.warnings += read.warnings
        return read.modules

    @cached_property
    def stubs(self) -> tuple[Module, ...]:
        """The stub programs that the configuration names; raises UsageError if one cannot be read."""
        from ormlint.library.stubs import read_folder

        config = self.request.config
        found: list[Module] = []
        for folder in config.directories(self.request.root, config.library):
            try:
                found += read_folder(folder)
            except (OSError, ValueError, ReadError) as error:
                raise UsageError(f"{config.file}: library: a file below {folder} cannot be read: {error}") from error
        return tuple(found)

    @cached_property
    def target_django(self) -> tuple[int, ...]:
        """The Django that the project runs on, or the newest one that it can: () if that is not older than what is assumed anyway."""
        if self.request.config.target_django:
            return _version(self.request.config.target_django)
        required = self.inputs.required_django
        newest = required.newest or newest_that_runs(self.modules)
        return newest if required.oldest <= newest < ASSUMED else ()

    @cached_property
    def analysis(self) -> Analysis | None:
        """What running the program abstractly showed; None if the engine failed, which is then among the problems."""
        from ormlint.run import Options, analyse

        modules, stubs = self.modules, self.stubs
        self.tell(f"Running {len(modules)} modules")
        try:
            targets = (("django", self.target_django),)
            analysis = analyse(modules, Options(library=stubs, targets=targets, comes_last=self._comes_last, left_out=self._left_out))
        except Exception as error:
            # reported in full, and the run ends with exit code 2
            message = f"the analysis failed: {error!r}"
            self.problems.append(Problem("", 1, 1, message, "internal", traceback.format_exc()))
            return None
        self.problems += analysis.problems
        return analysis

    def shown(self, path: str) -> str:
        """Returns a path below the root as seen from the current directory."""
        return os.path.relpath(self.request.root / path).replace(os.sep, "/") + ("/" if path.endswith("/") else "")

    @cached_property
    def project(self) -> Project:
        """The facts that rules may ask for."""
        analysis = self.analysis
        lines = {module.path: LineIndex(tuple(module.lines), module.length) for module in self.modules}
        return Project(
            root=str(self.request.root),
            schema=analysis.schema if analysis else Schema(),
            endpoints=analysis.endpoints if analysis else [],
            admin_lists=analysis.admin_lists if analysis else [],
            settings=analysis.settings if analysis else {},
            small_models=frozenset(self.request.config.small_models),
            target_django=self.target_django,
            target_sqlalchemy=_version(self.request.config.target_sqlalchemy),
            lines=lines,
            templates=frozenset(module.path for module in self.modules if module.language != "python"),
            schema_fields=analysis.schema_fields if analysis else {},
            member_reads=analysis.member_reads if analysis else {},
            background=analysis.background if analysis else frozenset(),
            administered=analysis.administered if analysis else frozenset(),
            threadable=analysis.threadable if analysis else frozenset(),
            indexes_foreign_keys=self.inputs.has_only_mysql,
            viewpoint=os.getcwd(),
        )

    @cached_property
    def rules(self) -> Rules:
        """The rules of this run."""
        return Rules.of(self.request)

    @cached_property
    def judgement(self) -> Judgement:
        """What the rules found in what was asked about."""
        analysis = self.analysis
        if analysis is None:
            return Judgement()
        project, rules = self.project, self.rules
        self.tell("Judging")
        chosen, preview = rules.choice.rules, self.request.config.preview
        wanted = (self.hides, self.excludes)

        def is_rare(path: str) -> bool:
            return is_done_once(path) or fails_to_import(analysis.missing.get(path, []), lambda source: self.texts[source])

        judgement = judge(project, analysis.log, self.modules, self.texts, chosen, rules.every, *wanted, is_rare=is_rare, preview=preview)
        self.problems += judgement.problems
        return judgement

    @cached_property
    def _per_file(self) -> list[tuple[Patterns, frozenset[str]]]:
        every = self.rules.every
        return [
            (Patterns([pattern], pattern), frozenset(rule.code for s in selectors for rule in resolve(s, every, pattern)[1]))
            for pattern, selectors in self.request.config.per_file_ignores.items()
        ]

    def hides(self, rule: Rule, site: Site) -> str:
        """Returns why findings of a rule at a site are not shown, "" if they are."""
        if site.path not in self.texts:
            return "lies outside the project"
        for patterns, codes in self._per_file:
            if rule.code in codes and patterns.verdict(site.path, is_directory=False):
                return f"ignored for `{patterns.source}` by per-file-ignores"
        return "" if self.request.target.covers(site.path) else "lies outside the paths that were asked about"

    def _comes_last(self, path: str) -> bool:
        return bool(self.excludes(Site(path, 0, 0)))

    def _left_out(self, path: str) -> bool:
        """Whether nothing in a file need be run: what migrations do is not reported, and nobody else calls them."""
        return role_of(path) is Role.MIGRATION and not self.request.config.include_migrations

    def excludes(self, site: Site) -> str:
        """Returns why findings that concern a place are not shown, wherever else they stand; "" if they are."""
        role = role_of(site.path)
        if role is Role.TEST and not self.request.config.include_tests:
            return "stands in a test, and `include-tests` is off"
        if role is Role.MIGRATION and not self.request.config.include_migrations:
            return "stands in a migration, and `include-migrations` is off"
        return ""


def _load_later_stages() -> None:
    """Imports what the stages after reading need, which takes as long as reading some ten thousand lines."""
    import ormlint.fixes.admin_lists
    import ormlint.fixes.eager_loads
    import ormlint.run.endpoints
    import ormlint.run.machine
    import ormlint.run.roots
    import ormlint.run.templates  # noqa: F401


def check(request: Request, tell: Tell = lambda stage: None, inputs: Inputs | None = None) -> Result:
    """Returns what is to be reported about a project, with fixes planned and not applied.

    Raises UsageError for a configuration that makes no sense. `tell` hears what is going on. `inputs` are those of the request, if
    somebody has looked them up already.
    """
    return result_of(Examination(request, tell, inputs))


def result_of(examination: Examination) -> Result:
    """Returns what an examination shows, with fixes planned."""
    rules = examination.rules
    unknown = tuple(_unknown_models(examination))
    judgement = examination.judgement
    if judgement.findings:
        from ormlint.fixes import plan_fixes

        examination.tell("Planning fixes")
        plan_fixes(judgement.findings, examination.project, examination.texts.__getitem__, examination.rules.grading)
    covers = examination.request.target.covers
    mine = [problem for problem in examination.problems if not problem.path or covers(problem.path)]
    result = Result(
        project=examination.project,
        findings=judgement.findings,
        problems=mine,
        other_problems=[problem for problem in examination.problems if problem not in mine],
        texts=examination.texts,
        pages={rule.code: page.as_uri() for rule in rules.every if (page := page_of(rule)) is not None},
    )
    result.warnings = (*rules.choice.warnings, *unknown, *examination.warnings, *_nothing_below(examination))
    result.unsafe_fixes = examination.request.config.unsafe_fixes
    if examination.analysis is not None:
        result.statistics = examination.analysis.log.statistics
    return result


def _unknown_models(examination: Examination) -> Iterator[str]:
    """Yields a warning for every small model that the project does not have.

    Raises UsageError for it if the project's own configuration names it and every file could be read: then it cannot be in another project
    that shares the configuration, nor in a file that is being written.
    """
    config, models = examination.request.config, examination.project.schema
    own = examination.request.target.root.configuration
    known = {name for model in models for name in (model.name, model.label)}
    for name in config.small_models:
        if name not in known and examination.analysis is not None:
            labels = {model.label for model in models} if "." in name else known
            message = f"{config.file}: small-models: the project has no model `{name}`{nearest(name, sorted(labels))}"
            if own is not None and config.file == own.resolve() and not examination.problems:
                raise UsageError(message)
            yield message


def _nothing_below(examination: Examination) -> Iterator[str]:
    """Yields a warning for every path asked about below which nothing is analysed."""
    for place in examination.request.target.wanted:
        reason = examination.discovery.reason_against(place)
        if reason is not None:
            yield f"nothing is analysed at {examination.shown(place or '.')}: {reason}"


def _version(text: str) -> tuple[int, ...]:
    """Returns the numbers of a version such as "5.2"."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())
