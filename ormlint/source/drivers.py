"""Which databases a project has drivers for, as its requirements name them.

MySQL and MariaDB make an index for every foreign key; the others make none.
"""

from __future__ import annotations

import re
from pathlib import Path

# fmt: off
MYSQL = frozenset({"pymysql", "mysqlclient", "mysql-connector-python", "aiomysql", "asyncmy", "mariadb"})
OTHERS = frozenset((
    "psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "pg8000", "aiosqlite", "oracledb", "cx-oracle", "pyodbc", "pymssql",
    "sqlalchemy-cockroachdb", "duckdb", "duckdb-engine",
))
# fmt: on
_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile", "requirements*.txt", "requirements/*.txt")
_NAME = re.compile(r"[A-Za-z][\w.-]*")


def has_only_mysql(root: Path) -> bool:
    """Whether the files below a project's root that name its requirements have drivers of MySQL and of no other database."""
    names: set[str] = set()
    for pattern in _FILES:
        for path in root.glob(pattern):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            names.update(name.lower().replace("_", "-").replace(".", "-") for name in _NAME.findall(text))
    return not names.isdisjoint(MYSQL) and names.isdisjoint(OTHERS)
