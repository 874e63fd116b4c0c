"""Runs ormlint over real applications, and compares its findings with those of an earlier run.

    python bench/ecosystem.py                          # everything that is pinned and fetched
    python bench/ecosystem.py django pretix            # by ORM or by name
    python bench/ecosystem.py --save before.json       # before a change of behaviour
    python bench/ecosystem.py --compare before.json    # after it: every finding that came or went
    python bench/ecosystem.py --folder path/to/any/project --list

Each application is checked by the command line in a process of its own, without a cache, exactly as a user would. The
exit status is 1 when a run crashed or reported an internal problem: that is never acceptable.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archives import chosen, default_cache, unpacked
from measure import ORMLINT, run, share


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one application gave: the report, or the reason why there is none."""

    name: str
    seconds: float
    mebibytes: float
    report: dict[str, Any] | None
    crash: str = ""

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of the report."""
        return self.report["findings"] if self.report else []

    @property
    def problems(self) -> list[dict[str, Any]]:
        """The files that could not be analysed, and failures inside ormlint."""
        return self.report["errors"] if self.report else []

    @property
    def is_broken(self) -> bool:
        """Whether ormlint itself failed, be it for one file only."""
        return self.report is None or any(problem["kind"] == "internal" for problem in self.problems)


def check(name: str, folder: Path, command: list[str], extra: list[str]) -> Outcome:
    """Returns the outcome of one application."""
    done = run([*command, "check", ".", "--output-format", "json", "--exit-zero", "--no-cache", *extra], folder)
    try:
        report = json.loads(done.output)
    except json.JSONDecodeError:
        last = done.errors.strip().splitlines()[-1:] or [f"exit status {done.status}, no output"]
        return Outcome(name, done.seconds, done.mebibytes, None, last[0])
    return Outcome(name, done.seconds, done.mebibytes, report)


COLUMNS = (
    ("application", 28),
    ("files", 6),
    ("lines", 8),
    ("seconds", 8),
    ("MiB", 6),
    ("models", 7),
    ("relations", 10),
    ("queries", 8),
    ("loops", 7),
    ("calls", 7),
    ("sources", 8),
    ("findings", 9),
)


def heading() -> str:
    """Returns the first line of the table."""
    return "".join(f"{title:<{width}}" if width == 28 else f"{title:>{width}}" for title, width in COLUMNS)


def row(outcome: Outcome) -> str:
    """Returns the line of one application."""
    if outcome.report is None:
        return f"{outcome.name:<28}CRASH after {outcome.seconds:.1f} s: {outcome.crash}"
    total = outcome.report["summary"]
    cells = [
        total["files"],
        total["lines"],
        f"{outcome.seconds:.1f}",
        f"{outcome.mebibytes:.0f}",
        total["models"],
        total["relations"],
        total["queries"],
        total["loops"],
        share(total["calls_resolved"], total["calls"]),
        share(total["loops_over_queries"], total["loops"]),
        len(outcome.findings),
    ]
    return f"{outcome.name:<28}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, COLUMNS[1:], strict=True))


def details(outcome: Outcome) -> list[str]:
    """Returns the lines below the row: findings per rule, problems by kind, and internal ones by their cause."""
    rules = Counter(f"{finding['code']} {finding['name']}" for finding in outcome.findings)
    lines = [f"    {count:6}  {rule}" for rule, count in sorted(rules.items())]
    kinds = Counter(problem["kind"] for problem in outcome.problems)
    lines += [f"    {count:6}  problem: {kind}" for kind, count in sorted(kinds.items())]
    causes = defaultdict(list)
    for problem in outcome.problems:
        if problem["kind"] == "internal":
            causes[problem["message"].rpartition(": ")[2]].append(problem)
    for cause, problems in causes.items():
        first = problems[0]
        lines.append(f"            {len(problems)} x {cause}, first at {first['path']}:{first['line']}: {first['message']}")
    return lines


def listed(finding: dict[str, Any]) -> str:
    """Returns a finding on one line."""
    return f"{finding['path']}:{finding['line']}: {finding['code']} {finding['message']}"


def saved(outcomes: list[Outcome]) -> dict[str, Any]:
    """Returns what `--save` writes and `--compare` reads."""
    keys = ("fingerprint", "code", "path", "line", "message")
    return {
        outcome.name: {
            "summary": outcome.report["summary"] if outcome.report else None,
            "findings": [{key: finding[key] for key in keys} for finding in outcome.findings],
        }
        for outcome in outcomes
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Returns one line for each finding that came (+) or went (-) in an application that both runs know."""
    lines = []
    for name in sorted(before.keys() & after.keys()):
        old, new = ({f["fingerprint"]: f for f in side[name]["findings"]} for side in (before, after))
        gone, come = [old[k] for k in old.keys() - new.keys()], [new[k] for k in new.keys() - old.keys()]
        lines.append(f"{name}: {len(come)} came, {len(gone)} went, {len(old.keys() & new.keys())} stayed")
        for sign, findings in (("+", come), ("-", gone)):
            lines += [f"  {sign} {listed(f)}" for f in sorted(findings, key=lambda f: (f["path"], f["line"], f["code"]))]
    return lines


def parsed() -> argparse.Namespace:
    """Returns the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names of archives, or an ORM (default: all)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where bench/fetch.py put them (default: %(default)s)")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="check this project instead; may be repeated")
    parser.add_argument("--ormlint", default=shlex.join(ORMLINT), help="the command to run (default: %(default)s)")
    parser.add_argument("--args", default="", help='further arguments of `ormlint check`, e.g. "--select ALL --preview"')
    parser.add_argument("--list", action="store_true", help="print every finding too")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the findings for a later --compare")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="print what came and went since --save")
    return parser.parse_args()


def main() -> int:
    """Runs the command line; returns the exit status."""
    options = parsed()
    projects = [(folder.resolve().name, folder) for folder in options.folder]
    if options.names or not projects:
        projects += [(archive.folder, unpacked(archive, options.cache.expanduser())) for archive in chosen(options.names)]
    before = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else {}
    command = shlex.split(options.ormlint)
    extra = shlex.split(options.args)
    print(heading())
    outcomes = []
    for name, folder in projects:
        outcome = check(name, folder, command, extra)
        outcomes.append(outcome)
        print(row(outcome), *details(outcome), sep="\n", flush=True)
        for finding in outcome.findings if options.list else ():
            print(f"      {listed(finding)}")
    after = saved(outcomes)
    if options.save:
        options.save.write_text(json.dumps(after, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for line in differences(before, after):
        print(line)
    return int(any(outcome.is_broken for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
