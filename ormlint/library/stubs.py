"""The library of stub programs: what frameworks do, written in Python, read by the same reader as the project.

They lie below `programs/` under the dotted names of the modules they stand for. A name that a stub module lacks is
simply external.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from functools import lru_cache

from ormlint.ir.nodes import Module
from ormlint.read.python import lower_python

ROOT = pathlib.Path(__file__).parent / "programs"


@lru_cache(maxsize=1)
def load_stubs() -> tuple[Module, ...]:
    """Returns the modules of all stub programs."""
    return tuple(read_folder(ROOT))


def read_folder(root: pathlib.Path) -> Iterator[Module]:
    """Yields the modules below a folder of stub programs, in the order of their names."""
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        yield lower_python(f"<library>/{'/'.join(parts)}.py", name, path.read_text(encoding="utf-8"), is_package)
