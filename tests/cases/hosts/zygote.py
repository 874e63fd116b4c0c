"""Runs the functions of generated programs under a real ORM: models, tables and rows are made once, programs come in forks.

    arguments   django|sqlalchemy, the folder with the models, the sizes
    job         {"entry": "shop.report", "files": {"shop/report.py": "…"}}
    answer      {"cases": [["case_1", ["output", …], [statements, …]], …]}  or  {"error": "…"}

The models stand in the packages of the folder, as for the other hosts, and `fill.py` makes the rows.
A function that fails has printed so: what it raised is part of its output.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pathlib
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent))

# makes a database of one size current for the time of a `with`, and gives what to call a case with and the log of its statements
Database = Callable[[int], "contextlib.AbstractContextManager[tuple[tuple[Any, ...], list[str]]]"]


def django_databases(root: pathlib.Path, sizes: list[int]) -> Database:
    """Returns the databases of a Django project."""
    import django_host

    django_host.prepare({"root": str(root)})
    from django.db import connection, transaction

    made: dict[int, Any] = {}
    models = list(django_host._models())
    fill = importlib.import_module("fill").fill
    for size in sizes:
        connection.connection = None
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)
        django_host._make_content_types(models)
        fill(size)
        made[size] = connection.connection

    @contextlib.contextmanager
    def opened(size: int) -> Iterator[tuple[tuple[Any, ...], list[str]]]:
        connection.connection = made[size]
        log: list[str] = []

        def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if not sql.startswith(django_host.TRANSACTION):
                log.append(sql)
            return execute(sql, params, many, context)

        with transaction.atomic(), connection.execute_wrapper(record):
            yield (), log
            transaction.set_rollback(True)

    return opened


def sqlalchemy_databases(root: pathlib.Path, sizes: list[int]) -> Database:
    """Returns the databases of a SQLAlchemy project."""
    import sqlalchemy as sa
    import sqlalchemy_host
    from sqlalchemy import orm
    from sqlalchemy.pool import StaticPool

    for path in root.glob("**/models.py"):
        importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
    made: dict[int, Any] = {}
    for size in sizes:
        engine = made[size] = sa.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        for registry in sqlalchemy_host._registries(str(root)):
            registry.configure()
            registry.metadata.create_all(engine)
        with orm.Session(engine) as session:
            importlib.import_module("fill").fill(session, size)
            session.commit()

    @contextlib.contextmanager
    def opened(size: int) -> Iterator[tuple[tuple[Any, ...], list[str]]]:
        log: list[str] = []
        listener = lambda conn, cursor, sql, *rest: log.append(sql)  # noqa: E731
        sa.event.listen(made[size], "before_cursor_execute", listener)
        with orm.Session(made[size]) as session:
            yield (session,), log
            session.rollback()
        sa.event.remove(made[size], "before_cursor_execute", listener)

    return opened


def _answer(job: dict[str, Any], root: pathlib.Path, sizes: list[int], database: Database) -> dict[str, Any]:
    for path, text in job["files"].items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    importlib.invalidate_caches()
    module = importlib.import_module(job["entry"])
    cases = [name for name in vars(module) if name.startswith("case_")]
    found = {name: ([], []) for name in cases}
    for size in sizes:
        for name in cases:
            output, statements = _measured(getattr(module, name), size, database)
            found[name][0].append(output)
            found[name][1].append(statements)
    return {"cases": [[name, *found[name]] for name in cases]}


def _measured(case: Callable[..., object], size: int, database: Database) -> tuple[str, int]:
    output = io.StringIO()
    with database(size) as (arguments, log), contextlib.redirect_stdout(output):
        try:
            case(*arguments)
        except Exception as error:  # whatever a generated program raises, its fixed form has to raise too
            print(f"failed: {type(error).__name__}: {error}")
        sent = len(log)
    return output.getvalue(), sent


def main(orm: str, folder: str, sizes: str) -> None:
    """Answers every job of standard input in a fork."""
    root = pathlib.Path(folder)
    sys.path.insert(0, folder)
    os.chdir(folder)
    sys.dont_write_bytecode = True
    counts = json.loads(sizes)
    database = (django_databases if orm == "django" else sqlalchemy_databases)(root, counts)
    gc.disable()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                with contextlib.redirect_stdout(sys.stderr):  # what a file prints when it is imported is no answer
                    answer = _answer(json.loads(line), root, counts, database)
            except BaseException:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
