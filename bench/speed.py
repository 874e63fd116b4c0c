"""Measures ormlint against `ast.parse` over the same files, on this machine, in this minute.

    python bench/speed.py pretix            # a pinned application, see bench/fetch.py
    python bench/speed.py --folder path/to/project --rounds 5

Absolute times say little about a program and much about a machine, so everything is a ratio to `ast.parse` over the
same files in one process. Three runs are measured on a copy of the project: cold (no cache), warm (nothing changed)
and changed (one file edited). ormlint is compiled to bytecode first, as pip does when it installs a package. Each
figure is the median of several rounds. Time includes starting the interpreter; memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import compileall
import shlex
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from archives import chosen, default_cache, unpacked
from measure import ORMLINT, run

BUDGET = {"cold": 3.0, "warm": 0.3, "changed": 0.7}
PARSE = """
import ast, sys, time, warnings
warnings.simplefilter("ignore")
texts = [open(path.rstrip("\\n"), "rb").read() for path in open(sys.argv[1], encoding="utf-8")]
start = time.perf_counter()
for text in texts:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        pass
print(time.perf_counter() - start, sum(text.count(b"\\n") for text in texts))
"""
LIBCST = """
import sys, time
import libcst
texts = [open(path.rstrip("\\n"), "rb").read() for path in open(sys.argv[1], encoding="utf-8")]
start = time.perf_counter()
for text in texts:
    try:
        libcst.parse_module(text)
    except (libcst.ParserSyntaxError, UnicodeDecodeError):
        pass
print(time.perf_counter() - start, sum(text.count(b"\\n") for text in texts))
"""


def parsing(program: str, listing: Path, folder: Path) -> tuple[float, int]:
    """Returns the seconds that a parser needs for the listed files in one process, and how many lines these have.

    Raises RuntimeError if the parser crashes.
    """
    done = run([sys.executable, "-c", program, str(listing)], folder)
    if done.status:
        raise RuntimeError(done.errors)
    seconds, lines = done.output.split()
    return float(seconds), int(lines)


def python_files(command: list[str], folder: Path) -> list[str]:
    """Returns the Python files that ormlint reads in a folder.

    Raises RuntimeError if ormlint fails.
    """
    done = run([*command, "files", "."], folder)
    if done.status:
        raise RuntimeError(done.errors)
    return [line for line in done.output.splitlines() if line.endswith(".py")]


def timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Returns seconds and MiB of one check.

    Raises RuntimeError if ormlint fails.
    """
    done = run([*command, "check", ".", "--output-format", "json", "--exit-zero"], folder)
    if done.status:
        raise RuntimeError(done.errors)
    return done.seconds, done.mebibytes


def compile_ormlint() -> None:
    """Compiles the modules of the ormlint that this interpreter finds: in a checkout an environment variable may keep Python from doing so."""
    import ormlint
    import ormlint.rules

    for package in (ormlint, ormlint.rules):
        for folder in package.__path__:
            compileall.compile_dir(folder, quiet=2)


def measured(command: list[str], folder: Path, files: list[str], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Returns the seconds and MiB of every round of the three kinds of run."""
    middle = folder / sorted(files, key=lambda name: (folder / name).stat().st_size)[len(files) // 2]
    results: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": [], "changed": []}
    for number in range(rounds):
        shutil.rmtree(folder / ".ormlint_cache", ignore_errors=True)
        results["cold"].append(timed(command, folder))
        results["warm"].append(timed(command, folder))
        with middle.open("a", encoding="utf-8") as file:
            file.write(f"\nCHANGED = {number}\n")
        results["changed"].append(timed(command, folder))
    return results


def report(folder: Path, command: list[str], rounds: int, with_libcst: bool) -> None:
    """Measures a project and prints the figures."""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / "project", ignore=shutil.ignore_patterns(".git", ".ormlint_cache", ".venv")))
        files = python_files(command, copy)
        listing = Path(place) / "files.txt"
        listing.write_text("\n".join(files), encoding="utf-8")
        parsed = [parsing(PARSE, listing, copy) for _ in range(rounds)]
        base, lines = statistics.median(seconds for seconds, _ in parsed), parsed[0][1]
        print(f"{len(files)} files, {lines} lines; ast.parse {base:.2f} s, {lines / base / 1000:.0f}k lines/s")
        if with_libcst:
            seconds, _ = parsing(LIBCST, listing, copy)
            print(f"libcst.parse_module {seconds:.2f} s, {lines / seconds / 1000:.0f}k lines/s, {seconds / base:.1f} x ast.parse")
        for kind, results in measured(command, copy, files, rounds).items():
            seconds = statistics.median(one for one, _ in results)
            memory = max(one for _, one in results)
            print(f"{kind:8}{seconds:7.2f} s{seconds / base:7.2f} x ast.parse (budget {BUDGET[kind]} x){memory:7.0f} MiB")


def main() -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="names of archives, or an ORM")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where bench/fetch.py put them (default: %(default)s)")
    parser.add_argument("--folder", type=Path, action="append", default=[], help="measure on this project; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of (default: 3)")
    parser.add_argument("--libcst", action="store_true", help="measure libcst's parser too")
    parser.add_argument("--ormlint", default=shlex.join(ORMLINT), help="the command to run (default: %(default)s)")
    options = parser.parse_args()
    if not options.names and not options.folder:
        parser.error("name an archive or give --folder")
    if options.ormlint == shlex.join(ORMLINT):
        compile_ormlint()
    folders = [*options.folder, *(unpacked(archive, options.cache.expanduser()) for archive in (chosen(options.names) if options.names else []))]
    for folder in folders:
        print(f"== {folder.resolve().name}")
        report(folder, shlex.split(options.ormlint), options.rounds, options.libcst)
    return 0


if __name__ == "__main__":
    sys.exit(main())
