"""`ormlint check`: the main job."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ormlint.cli.options import CONFIG, PATHS, selectors
from ormlint.problem import UsageError

if TYPE_CHECKING:
    from ormlint.check import Tell
    from ormlint.cli.fixing import Rewritten
    from ormlint.kept_reports import Report
    from ormlint.report.result import Result
    from ormlint.request import Request

FORMATS = ("full", "concise", "json")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one call."""

    paths: tuple[str, ...]
    select: tuple[str, ...]
    extend_select: tuple[str, ...]
    ignore: tuple[str, ...]
    preview: bool | None
    fix: bool
    fix_only: bool
    unsafe_fixes: bool | None
    diff: bool
    output_format: str
    statistics: bool
    exit_zero: bool
    config_file: Path | None
    no_cache: bool
    stdin_filename: str | None
    explain: str | None
    include_tests: bool | None
    include_migrations: bool | None
    quiet: bool
    verbose: bool

    @property
    def reads_stdin(self) -> bool:
        """Whether the one file to check is given on standard input."""
        return "-" in self.paths


@click.command("check")
@PATHS
@selectors("--select", "Check only these rules: codes, names, prefixes, families or ALL.")
@selectors("--extend-select", "Check these rules as well.")
@selectors("--ignore", "Leave these rules out.")
@click.option("--preview/--no-preview", default=None, help="Include rules that are still being tried out.")
@click.option("--fix", is_flag=True, help="Apply the fixes that are proven to keep the behaviour.")
@click.option("--fix-only", is_flag=True, help="Apply the fixes like --fix, and do not report what is left.")
@click.option("--unsafe-fixes/--no-unsafe-fixes", default=None, help="With --fix or --diff: apply fixes that may change the behaviour too.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--output-format", type=click.Choice(FORMATS), default="full", show_default=True, help="How findings are written.")
@click.option("--statistics", is_flag=True, help="Show the number of findings of each rule instead of the findings.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@CONFIG
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option("--stdin-filename", metavar="FILE", help="With `-` as the path: the file whose text standard input is.")
@click.option("--include-tests/--exclude-tests", default=None, help="Report findings in tests too.")
@click.option("--include-migrations/--exclude-migrations", default=None, help="Report findings in migrations too.")
@click.option("--explain", metavar="PATH:LINE", help="Say why a place is reported or not.")
@click.option("-q", "--quiet", is_flag=True, help="Leave out the closing lines.")
@click.option("-v", "--verbose", is_flag=True, help="Show more: the stages and their times, details of internal errors.")
def command(**given: Any) -> int:
    """Reports wasted queries in files and directories (by default, the current one).

    The whole project is analysed; PATHS choose what is reported.
    """
    options = Options(**{**given, "fix": given["fix"] or (given["fix_only"] and not given["diff"])})
    _reject_contradictions(options)
    if options.explain is not None:
        return _explain(options, options.explain)
    from ormlint.cli.terminal import progress

    requests = list(_requests(options, _standard_input() if options.reads_stdin else None))
    if not (options.fix or options.diff):
        return _check(requests, options)
    from ormlint.cli.fixing import fix_files, fix_texts
    from ormlint.report.result import exit_code

    with progress(not options.quiet) as shown:
        tell = _timed(shown.tell) if options.verbose else shown.tell
        if options.diff:
            outcomes = [fix_texts(request, tell) for request in requests]
        elif options.fix and options.reads_stdin:
            outcomes = [fix_texts(request, tell, only=request.overrides) for request in requests]
            results = [outcome.result for outcome in outcomes]
        else:
            results = [fix_files(request, tell) for request in requests]
    if options.diff:
        return _show_diff(outcomes, options)
    if options.fix and options.reads_stdin:
        # the text is what was asked for, and goes where it came from
        ((path, text),) = requests[0].overrides.items()
        click.echo(outcomes[0].after.get(path, text).encode(), nl=False)
    if options.fix_only:
        for result in results:
            result.findings.clear()
    _write(_reported(results, options, err=options.reads_stdin), err=options.reads_stdin)
    return exit_code(results, exit_zero=options.exit_zero)


def _check(requests: list[Request], options: Options) -> int:
    """Reports what is found, or what was when the same was asked of the same; returns the exit code."""
    from ormlint.cli.terminal import has_colour, progress
    from ormlint.inputs import Inputs
    from ormlint.kept_reports import KeptReports, may_be_kept

    inputs = [Inputs(request) for request in requests]
    kept = KeptReports(inputs, (options, has_colour(sys.stdout))) if not options.verbose and may_be_kept(inputs) else None
    report = kept.get() if kept is not None else None
    if report is None:
        from ormlint.check import check

        with progress(not options.quiet) as shown:
            tell = _timed(shown.tell) if options.verbose else shown.tell
            results = [check(each.request, tell, each) for each in inputs]
        report = _reported(results, options, err=False)
        if kept is not None and not any(problem.kind == "internal" for result in results for problem in (*result.problems, *result.other_problems)):
            kept.put(report)
    _write(report, err=False)
    return report.code


def _reject_contradictions(options: Options) -> None:
    if options.reads_stdin and (len(options.paths) != 1 or not options.stdin_filename):
        raise UsageError("`-` needs --stdin-filename, and no other paths beside it")
    if options.stdin_filename and not options.reads_stdin:
        raise UsageError("--stdin-filename needs `-` as the path")
    if options.fix and options.diff:
        raise UsageError("--fix and --diff cannot be combined: --diff shows what --fix would do")
    if options.quiet and options.verbose:
        raise UsageError("--quiet and --verbose cannot be combined")


def _standard_input() -> str:
    """Returns the text on standard input, line ends untouched."""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is not UTF-8: {error}") from error


# --------------------------------------------------------------------------------------------------------- checking
def _requests(options: Options, stdin: str | None) -> Iterator[Request]:
    from ormlint.cli.options import configuration
    from ormlint.judge.layers import Layer
    from ormlint.request import Request
    from ormlint.targets import targets_of

    paths = (options.stdin_filename or "",) if options.reads_stdin else options.paths or (".",)
    layer = Layer("the command line", options.select or None, options.extend_select, options.ignore)
    for target in targets_of(paths, need_not_exist=options.reads_stdin):
        config = configuration(target, options.config_file).overridden(
            "the command line",
            preview=options.preview,
            unsafe_fixes=options.unsafe_fixes,
            include_tests=options.include_tests,
            include_migrations=options.include_migrations,
        )
        overrides = {target.wanted[0]: stdin} if stdin is not None else {}
        yield Request(target, config, (layer,), use_cache=not options.no_cache, overrides=overrides)


# -------------------------------------------------------------------------------------------------------- reporting
def _reported(results: list[Result], options: Options, *, err: bool) -> Report:
    """Returns what is to be written about some results, for standard output or standard error."""
    from ormlint.cli.terminal import ink_for
    from ormlint.kept_reports import Report
    from ormlint.report import closing, concise, full, json
    from ormlint.report.result import exit_code

    ink = ink_for(sys.stderr if err else sys.stdout)
    lines: Iterable[str]
    if options.output_format == "json":
        lines = [json.render(results)]
    elif options.statistics:
        lines = closing.statistics(results)
    elif options.output_format == "concise":
        lines = concise.render(results, ink)
    else:
        lines = full.render(results, ink, verbose=options.verbose)
    written = list(lines)
    if options.output_format != "json" and not options.quiet:
        written += (closing.fixed(results),) if options.fix_only else closing.render(results)
    return Report(written, _warnings(results), exit_code(results, exit_zero=options.exit_zero))


def _write(report: Report, *, err: bool) -> None:
    from ormlint.cli.terminal import has_colour

    colour = has_colour(sys.stderr if err else sys.stdout)
    for line in report.lines:
        click.echo(line, err=err, color=colour)
    for line in report.asides:
        click.echo(line, err=True)


def _warnings(results: list[Result]) -> list[str]:
    return [f"ormlint: warning: {warning}" for warning in dict.fromkeys(warning for result in results for warning in result.warnings)]


def _show_diff(outcomes: list[Rewritten], options: Options) -> int:
    """Prints what fixing would change, and returns 1 if that is anything (2 after an internal error)."""
    from ormlint.fixes import unified_diff
    from ormlint.report import closing
    from ormlint.report.result import exit_code

    results = [outcome.result for outcome in outcomes]
    for outcome in outcomes:
        for path in sorted(outcome.after):
            click.echo(unified_diff(outcome.result.project.shown(path), outcome.before[path], outcome.after[path]), nl=False)
    for warning in _warnings(results):
        click.echo(warning, err=True)
    changes = sum(result.fixed for result in results)
    if not options.quiet:
        click.echo(f"Would fix {closing.counted(changes, 'finding')}.", err=True)
    return max(exit_code(results, exit_zero=True), int(changes > 0 and not options.exit_zero))


def _explain(options: Options, place: str) -> int:
    """Prints why a place is reported or not."""
    from ormlint.check import Examination
    from ormlint.dev import explain

    path, colon, line = place.rpartition(":")
    if not colon or not line.isdigit():
        raise UsageError(f"--explain needs PATH:LINE, not `{place}`")
    for request in _requests(replace(options, paths=(path,)), None):
        (wanted,) = request.target.wanted
        everywhere = replace(request, target=replace(request.target, wanted=("",)))
        for text in explain(Examination(everywhere), wanted, int(line)):
            click.echo(text)
    return 0


def _timed(tell: Tell) -> Tell:
    from time import perf_counter

    begun = perf_counter()

    def say(stage: str) -> None:
        tell(stage)
        click.echo(f"{perf_counter() - begun:6.2f} s  {stage}", err=True)

    return say
