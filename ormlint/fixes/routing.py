"""Whether database routers of the project choose by the model that they are asked about: a join asks one database for both models.

class Router:
    def db_for_read(self, model, **hints):
        return "archive" if model._meta.app_label == "archive" else None
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ormlint.fixes.source import Sources
from ormlint.text import Site

ROUTED = "a database router of the project chooses the database by the model, and a join asks one database for both"
_METHOD = "db_for_read"


def is_routed_by_model(sources: Sources, paths: Iterable[str]) -> bool:
    """Whether a router in one of these Python files reads the model that it is given."""
    for path in paths:
        file = sources.file(Site(path, 0, 0))
        if file is not None and f"def {_METHOD}(" in file.text:
            nodes = (node for lines in file.body for top in lines.nodes for node in ast.walk(top))
            if any(isinstance(node, ast.FunctionDef) and node.name == _METHOD and _reads_model(node) for node in nodes):
                return True
    return False


def _reads_model(method: ast.FunctionDef) -> bool:
    parameters = [*method.args.posonlyargs, *method.args.args]
    if len(parameters) < 2:
        return True  # `*args`
    names = (node.id for statement in method.body for node in ast.walk(statement) if isinstance(node, ast.Name))
    return parameters[1].arg in names
