"""Executes SQLAlchemy cases: makes the tables of the case's metadata, fills them, runs `main(session)`.

COMMIT counts as a statement: it is a round trip the program asked for.
"""

from __future__ import annotations

import datetime
import decimal
import importlib
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.pool import StaticPool

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from serve import Run, serve


def prepare(job: dict[str, Any]) -> Run:
    """Returns the runner; the case's modules are imported when it runs."""
    root = job["root"]

    def run(module: Any, rows: int) -> list[str]:
        engine = sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        log: list[str] = []
        for path in pathlib.Path(root).glob("**/models.py"):
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
        mapped = list(_registries(root))
        for registry in mapped:
            registry.configure()
            registry.metadata.create_all(engine)
        with orm.Session(engine) as session:
            if pathlib.Path("fill.py").exists():
                importlib.import_module("fill").fill(session, rows)
            else:
                for registry in mapped:
                    _fill(session, registry, rows)
            session.commit()
        sa.event.listen(engine, "before_cursor_execute", lambda conn, cursor, sql, *rest: log.append(sql))
        sa.event.listen(engine, "commit", lambda conn: log.append("COMMIT"))
        with orm.Session(engine) as session:
            module.main(session)
            return list(log)

    return run


def _registries(root: str) -> Iterator[Any]:
    seen = set()
    for module in list(sys.modules.values()):
        if (getattr(module, "__file__", None) or "").startswith(root):
            for value in list(vars(module).values()):
                found = value if isinstance(value, orm.registry) else getattr(value, "registry", None)
                if isinstance(found, orm.registry) and found not in seen:
                    seen.add(found)
                    yield found


def _fill(session: orm.Session, registry: Any, rows: int) -> None:
    mappers = {mapper.local_table: mapper for mapper in registry.mappers if mapper.local_table is not None and not mapper.single}
    for table in registry.metadata.sorted_tables:
        if table not in mappers and len(table.foreign_keys) == 2 == len(table.columns):
            left, right = table.columns
            numbers = [(first, second) for first in range(rows) for second in range(rows)]
            values = [{left.name: _value(left, one, mappers), right.name: _value(right, other, mappers)} for one, other in numbers]
        else:
            values = [{column.name: _value(column, number, mappers) for column in table.columns} for number in range(rows)]
        session.execute(table.insert(), values)


def _value(column: Any, number: int, mappers: dict[Any, Any]) -> object:
    mapper = mappers.get(column.table)
    if mapper is not None and mapper.polymorphic_on is column:
        return _identity(mapper)
    for key in column.foreign_keys:
        if key.column.table is column.table:
            return _value(key.column, number - 1, mappers) if number else None
        return _value(key.column, number, mappers)
    day = datetime.datetime(2024, 1, number + 1, 12)
    kind = column.type
    if isinstance(kind, sa.Enum):
        return (kind.enum_class and next(iter(kind.enum_class))) or kind.enums[0]
    for types, value in (
        (sa.Boolean, True),
        (sa.Integer, number + 1),
        (sa.Float, number + 0.5),
        (sa.Numeric, decimal.Decimal(number + 1)),
        (sa.DateTime, day),
        (sa.Date, day.date()),
        (sa.JSON, {}),
        (sa.LargeBinary, b""),
        (sa.String, f"{column.name} {number + 1}"),
    ):
        if isinstance(kind, types):
            return value
    raise TypeError(f"no value for {column!r}")


def _identity(mapper: Any) -> object:
    """Returns the discriminator of the first subclass with a table of its own, or the mapper's own."""
    for sub in mapper.self_and_descendants:
        if sub is not mapper and not sub.single:
            return sub.polymorphic_identity
    return mapper.polymorphic_identity


if __name__ == "__main__":
    serve(prepare)
