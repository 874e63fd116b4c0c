from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import pytest

from ormlint.judge.finding import Applicability, Fix
from ormlint.problem import Problem
from ormlint.report import json as report
from ormlint.report.result import Result
from ormlint.text import Edit
from tests.report.test_text import ACCESS, finding, result

SCHEMA = json.loads(resources.files("ormlint.report").joinpath("schema.json").read_text(encoding="utf-8"))
FIX = Fix(Applicability.SAFE, "load `author`", (Edit("shop/views.py", ACCESS.start, ACCESS.end, "x"),))


def document(*results: Result) -> Any:
    found = json.loads(report.render(results))
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    return found


def test_a_finding_has_the_documented_fields() -> None:
    outcome = result(finding(fix=FIX))
    outcome.pages = {"ORM101": "file:///rules/x.md"}
    (found,) = document(outcome)["findings"]
    related = found.pop("related")
    assert found == {
        "code": "ORM101",
        "name": "related-object-in-loop",
        "family": "n-plus-one",
        "severity": "warning",
        "message": "loading `book.author` runs one query per `Book`",
        "help": 'add `.select_related("author")` to the query at shop/views.py:5',
        "path": "shop/views.py",
        "line": 9,
        "column": 22,
        "end_line": 9,
        "end_column": 33,
        "relations": ["author"],
        "fix": {
            "applicability": "safe",
            "description": "load `author`",
            "reason": "",
            "edits": [{"path": "shop/views.py", "start": {"line": 9, "column": 22}, "end": {"line": 9, "column": 33}, "content": "x"}],
        },
        "fingerprint": "0123456789abcdef",
        "url": "file:///rules/x.md",
    }
    assert related[0] == {"path": "shop/views.py", "line": 5, "column": 13, "end_line": 5, "end_column": 31, "label": "the rows come from here"}


def test_further_places_of_a_cause_are_related() -> None:
    (found,) = document(result(replace(finding(), elsewhere=(ACCESS,))))["findings"]
    assert found["related"][-1] == {"path": "shop/views.py", "line": 9, "column": 22, "end_line": 9, "end_column": 33, "label": "the same cause"}


def test_further_queries_with_such_rows_are_related() -> None:
    (found,) = document(result(replace(finding(), others=(ACCESS,))))["findings"]
    assert found["related"][-1] == {
        "path": "shop/views.py",
        "line": 9,
        "column": 22,
        "end_line": 9,
        "end_column": 33,
        "label": "rows come from here too",
    }


def test_errors_and_a_summary_are_always_there() -> None:
    problems = [Problem("shop/x.py", 2, 3, "invalid syntax", "syntax"), Problem("", 1, 1, "the analysis failed", "internal", "Traceback")]
    found = document(result(finding(fix=FIX), problems=problems), result())
    assert found["version"] == 1
    assert [(error["kind"], error["path"], error["line"]) for error in found["errors"]] == [("internal", None, 1), ("syntax", "shop/x.py", 2)]
    assert {key: found["summary"][key] for key in ("findings", "errors", "fixable", "files", "calls_resolved")} == {
        "findings": 1,
        "errors": 2,
        "fixable": 1,
        "files": 2468,
        "calls_resolved": 4,
    }


def test_paths_are_relative_to_the_current_directory() -> None:
    (found,) = document(result(finding(fix=FIX), viewpoint="/srv/shop/shop"))["findings"]
    assert (found["path"], found["related"][0]["path"], found["fix"]["edits"][0]["path"]) == ("views.py", "views.py", "views.py")


def test_the_schema_refuses_what_is_not_documented() -> None:
    found = json.loads(report.render([result(finding())]))
    found["findings"][0]["extra"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, SCHEMA)
