"""Which part a file plays: the program itself, its tests, its schema migrations.

Tests are analysed as program text like everything else, though last; what migrations declare is read, and what they do is not run. Findings
in either are left out unless asked for: waste there costs little and is mostly deliberate.
"""

from __future__ import annotations

import enum
import re
from functools import cache

TEST_DIRECTORIES = frozenset({"test", "tests", "testing", "testutils", "test_utils", "fixtures", "e2e", "qa"})
TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|tests?|conftest|factories|.*_factory)\.py$")


class Role(str, enum.Enum):
    """The part a file plays in the project."""

    PROGRAM = "program"
    TEST = "test"
    MIGRATION = "migration"


_ONCE = frozenset({"upgrade", "upgrades", "upgrader", "migrate", "migration", "backfill", "backfills", "datamigration", "datamigrations"})
_MADE_UP = re.compile(r"fake|dummy|demo(?!t)|sample|seed_|_seed|test_?data|(?:^|_)test(?:_|$)|user_?data$")
_SETTING_UP = frozenset({"init", "initialize", "initialise", "setup", "install", "bootstrap"})
_REPAIRING = re.compile(r"repair|(?:^|_)(?:fix|revert)(?:_|$)")
_DUMMY = re.compile(r"(?:^|_)(?:dummy|dummies)(?:_|$)")


def is_done_once(path: str) -> bool:
    """Whether a file does what is done once, if at all.

    That is an upgrade or repair of stored data, a command that sets up an installation or fills a database with what is made up, a maker of
    dummies.
    """
    *directories, name = path.split("/")
    stem = name.rpartition(".")[0].lower()
    if not _ONCE.isdisjoint(stem.split("_")) or any(_DUMMY.search(part) for part in (*directories, stem)):
        return True
    is_command = directories[-2:] == ["management", "commands"]
    return is_command and (bool(_MADE_UP.search(stem) or _REPAIRING.search(stem)) or not _SETTING_UP.isdisjoint(stem.split("_")))


@cache
def role_of(path: str) -> Role:
    """Returns the role of a file, given its path relative to the project root."""
    *directories, name = path.split("/")
    if any(part.endswith("migrations") or part == "alembic" for part in directories):
        return Role.MIGRATION
    if not TEST_DIRECTORIES.isdisjoint(directories) or TEST_FILE.match(name) or any(part.endswith("_tests") for part in directories):
        return Role.TEST
    return Role.PROGRAM
