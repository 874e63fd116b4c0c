"""Runs cases under a real ORM, each in a child process of its own, and reports what it cost.

Reads a JSON list of jobs from standard input and writes one JSON line per job. The ORM is imported once; a job runs in
a fork, so that model classes, settings and module state of one case never meet those of another. It is a program of its
own: nothing of the harness or of ormlint is imported here.

    job     {"id": 3, "root": "/…", "entry": "shop.report", "sizes": [3, 7]}
    answer  {"id": 3, "runs": [{"statements": 4, "output": "…", "log": ["SELECT …"]}, …]}  or  {"id": 3, "error": "…"}
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

Run = Callable[[Any, int], list[str]]  # runs main() of a module on a database with so many rows; returns the statements
Prepare = Callable[[dict[str, Any]], Run]


def serve(prepare: Prepare) -> None:
    """Answers every job of standard input."""
    gc.disable()
    gc.freeze()  # what the parent imported stays in pages that the children share
    for job in json.load(sys.stdin):
        print(json.dumps({"id": job["id"], **_in_fork(prepare, job)}), flush=True)


def _in_fork(prepare: Prepare, job: dict[str, Any]) -> dict[str, Any]:
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        with os.fdopen(send, "w") as pipe:
            json.dump(_answer(prepare, job), pipe)
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer) if answer else {"error": "the case ended its process"}


def _answer(prepare: Prepare, job: dict[str, Any]) -> dict[str, Any]:
    sys.path.insert(0, job["root"])
    os.chdir(job["root"])
    try:
        run = prepare(job)
        return {"runs": [_measured(run, job["entry"], rows) for rows in job["sizes"]]}
    except BaseException:  # a case may fail in any way, also by SystemExit; the failure is its answer
        return {"error": traceback.format_exc()}


def _measured(run: Run, entry: str, rows: int) -> dict[str, Any]:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        log = run(importlib.import_module(entry), rows)
    return {"statements": len(log), "output": output.getvalue(), "log": log}
