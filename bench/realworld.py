"""Replays real commits that cured a wasted query, if a collection of them lies beside the project.

    python bench/realworld.py --cases DIR -- --mirrors MIRRORS --only SUBSTRING

The collection is a folder with a `score.py` and its `cases.json`. It is no part of the project; without one, this says
so and ends well. What stands behind `--` goes to the script.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


def collection() -> Path | None:
    """Returns the folder of the collection, or None if there is none beside the project."""
    named = os.environ.get("ORMLINT_REALWORLD")
    places = [Path(named)] if named else [PROJECT.parent / "realworld", *sorted(PROJECT.parent.glob("*/realworld"))]
    return next((place for place in places if (place / "score.py").is_file()), None)


def main() -> int:
    """Runs the command line; returns the exit status of the script, or 0 if there is none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, help="the folder (default: $ORMLINT_REALWORLD, or a folder `realworld` beside the project)")
    parser.add_argument("arguments", nargs="*", help="arguments of the script, behind --")
    options = parser.parse_args()
    folder: Path | None = options.cases or collection()
    if folder is None or not (folder / "score.py").is_file():
        print("no collection of real commits found; name one with --cases or ORMLINT_REALWORLD")
        return 0
    return subprocess.call([sys.executable, str(folder / "score.py"), *options.arguments])


if __name__ == "__main__":
    sys.exit(main())
