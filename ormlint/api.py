"""The public interface for rules, the project's own and others'."""

from ormlint.judge.finding import (
    AggregateInDatabase,
    Applicability,
    EagerLoad,
    Intent,
    Label,
    Mark,
    MoveAfterLoop,
    ReplaceCountTest,
    ReplaceLen,
    ReplaceTruthTest,
    Report,
    Severity,
)
from ormlint.judge.rule import Rule, rule
from ormlint.judge.project import Endpoint, Project
from ormlint.link.schema import Column, Kind, Model, Orm, Relation, Schema
from ormlint.run.log import (
    READS,
    Bound,
    Circumstances,
    Event,
    LoadKind,
    Loop,
    Op,
    Origin,
    QueryLog,
    QueryObject,
    Shape,
    Use,
    UseKind,
)
from ormlint.text import Site

__all__ = ["READS", "AggregateInDatabase", "Applicability", "Bound", "Circumstances", "Column", "EagerLoad", "Endpoint", "Event", "Intent", "Kind", "Label", "LoadKind", "Loop", "Mark", "Model", "MoveAfterLoop", "Op", "Origin", "Orm", "Project", "QueryLog", "QueryObject", "Relation", "ReplaceCountTest", "ReplaceLen", "ReplaceTruthTest", "Report", "Rule", "Schema", "Severity", "Shape", "Site", "Use", "UseKind", "rule"]
