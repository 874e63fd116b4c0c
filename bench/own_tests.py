"""Runs an application's own tests before and after `--fix`: they have to end the same.

    python bench/own_tests.py path/to/ihatemoney-7.2.1 --command ".venv/bin/python -m pytest -q ihatemoney/tests"
    python bench/own_tests.py path/to/juntagrico-2.0.10 --command ".venv/bin/python -m django test juntagrico" \\
        --env DJANGO_SETTINGS_MODULE=testsettings --env PYTHONPATH=path/to/the/settings

The folder is an unpacked source archive that ships its tests (bench/fetch.py keeps sources only, so unpack it yourself:
`pip download --no-deps --no-binary :all: NAME==VERSION`); the command belongs to an environment with the application's
dependencies, installed without the application itself. Tests run in a copy, with SQLite, offline. Tried: ihatemoney 7.2.1
(`pip install "ihatemoney==7.2.1" "pytest~=9.0" "pytest-flask~=1.3"`), juntagrico 2.0.10 (`pip install "juntagrico==2.0.10" faker`),
privacyidea 3.14 (`pip install "privacyidea==3.14" pytest mock responses testfixtures pyparsing`; the files of tests/ one wants, in one command)
and NEMO 8.1.5 (`pip install "NEMO==8.1.5"`; `--command ".venv/bin/python -m django test NEMO.tests"` with the settings NEMO.tests.test_settings; the
archive lacks resources/emails/tool_wait_list_notification_email.html and resources/images/jumbotron_watermark.png, for which any text and picture
will do, and the fixture of NEMO.tests.test_urls: name the other modules of NEMO/tests instead, all of their 291 tests pass).

Compared are the tests that fail and the numbers in the last lines. The exit status is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measure import ORMLINT, run

# as unittest and as pytest print them; a line of a log may begin with ERROR too
_FAILED = re.compile(r"^(?:(?:FAIL|ERROR): |(?:FAILED|ERROR) (?=\S+(?:::|\.py\b)))(\S.*?)(?: - .*)?$", re.MULTILINE)
_SUMMARY = re.compile(r"^(?:Ran \d+ tests?|OK.*|FAILED \(.*\)|=*\s*\d+ (?:passed|failed).*)", re.MULTILINE)
_TIME = re.compile(r" in [\d.]+s.*|\d+ warnings?,? ?")


@dataclass(frozen=True, slots=True)
class Tests:
    """How the tests of an application ended."""

    status: int
    failed: tuple[str, ...]
    summary: tuple[str, ...]


def tests(folder: Path, command: list[str], environment: dict[str, str]) -> Tests:
    """Returns how the tests end in a folder."""
    search = os.pathsep.join(filter(None, [str(folder), str(folder / "src"), environment.get("PYTHONPATH", "")]))
    done = subprocess.run(command, cwd=folder, env={**environment, "PYTHONPATH": search}, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    summary = tuple(_TIME.sub("", line).strip() for line in _SUMMARY.findall(text))
    return Tests(done.returncode, tuple(sorted(set(_FAILED.findall(text)))), summary)


def parsed() -> argparse.Namespace:
    """Returns the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the unpacked application")
    parser.add_argument("--command", required=True, help="what runs its tests, from the folder")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="for the tests; may be repeated")
    parser.add_argument("--unsafe-fixes", action="store_true", help="apply those too")
    parser.add_argument("--ormlint", default=shlex.join(ORMLINT), help="the command to run (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Runs the command line; returns the exit status."""
    options = parsed()
    command = shlex.split(options.command)
    if os.sep in command[0]:
        command[0] = os.path.abspath(command[0])
    environment = {**os.environ, **dict(pair.split("=", 1) for pair in options.env)}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch).resolve() / options.folder.resolve().name
        shutil.copytree(options.folder, copy)
        before = tests(copy, command, environment)
        print("before:", *before.summary, f"exit status {before.status}", sep="  ", flush=True)
        fixing = [*shlex.split(options.ormlint), "check", ".", "--fix-only", "--no-cache", *(["--unsafe-fixes"] if options.unsafe_fixes else [])]
        print(run(fixing, copy).output.strip())
        after = tests(copy, command, environment)
        print("after: ", *after.summary, f"exit status {after.status}", sep="  ")
    for name in sorted({*before.failed} ^ {*after.failed}):
        print(f"{'fails now' if name in after.failed else 'failed before'}: {name}")
    return int(before != after)


if __name__ == "__main__":
    sys.exit(main())
