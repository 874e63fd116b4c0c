"""ORM210: all rows of a query are fetched to compute one figure of them."""

from collections.abc import Iterator
from dataclasses import replace

from ormlint.api import AggregateInDatabase, Column, Op, Orm, Project, QueryLog, QueryObject, Report, Severity, Use, UseKind, rule
from ormlint.judge.columns import FIGURES
from ormlint.judge.describe import at_query, code, is_shown, query_labels, row_of
from ormlint.judge.repetition import asked_per_round, costs_nothing, is_deliberate, only_uses, prefetched_by_some
from ormlint.judge.wide import is_wide

_IN_DATABASE = {"sum": "Sum", "min": "Min", "max": "Max", "len": "Count", "mean": "Avg", "fmean": "Avg", "count": "Count"}
# the database may round these differently from Python
_INEXACT = frozenset({"DecimalField", "FloatField", "Decimal", "DECIMAL", "Numeric", "NUMERIC", "Float", "FLOAT", "Double", "DOUBLE", "REAL"})


@rule("ORM210", "aggregation-in-python")
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query whose rows only go into a sum, a minimum, a count… of one of their columns."""
    left_alone = asked_per_round(log) | prefetched_by_some(log)
    for event in log.of(Op.LOAD_ROWS, Op.LAZY_COLLECTION):
        query = event.query
        if query is None or query.site in left_alone or costs_nothing(query) or is_deliberate(query) or _may_be_prefetched(query):
            continue
        # the number of rows can be had along with their sum
        uses = sorted(only_uses(query, UseKind.AGGREGATE, UseKind.LEN), key=lambda use: use.kind is UseKind.LEN)
        if not uses or uses[0].operator not in _IN_DATABASE or not is_shown(project, uses[0].site):
            continue
        # `sum(book.price_with_tax for …)` of a property is Python's business
        column = query.model.columns.get(event.column) if query.model is not None else None
        if uses[0].operator == "len" or (column is not None and _can_be_computed(query, column)):
            caught = event.around.answered and uses[0].operator in ("min", "max")
            yield replace(_report(project, query, uses, column), preview=caught or not is_wide(project, query))


def _can_be_computed(query: QueryObject, column: Column) -> bool:
    """Whether a database has the column, and what it computes of it is what Python does: a field of the project's own may be neither."""
    return query.orm is not Orm.DJANGO or column.type in FIGURES


def _may_be_prefetched(query: QueryObject) -> bool:
    """Whether the rows are a collection of a row that came from who knows where: prefetched, they cost nothing and an aggregate does.

    # def end(self): return max(shift.end for shift in self.shifts.all())
    """
    if query.relation is None:
        return False
    return query.owner is None or (query.owner.query.function != query.function and query.orm is Orm.DJANGO)


def _report(project: Project, query: QueryObject, uses: list[Use], column: Column | None) -> Report:
    function = uses[0].operator
    of = f" of {code(column.name)}" if column is not None and function != "len" else ""
    rounding = column is not None and column.type in _INEXACT and function in ("sum", "mean", "fmean")
    return Report(
        site=uses[0].site,
        message=f"`{function}()`{of} loads every {row_of(query)} for one number",
        help=_advice(project, query, _IN_DATABASE[function], column),
        cause=(query.site, uses[0].site),
        labels=query_labels(project, query, uses, "this needs one number"),
        notes=("the database may round this sum differently",) if rounding else (),
        intent=AggregateInDatabase(query, uses[0].site, function, column) if column is not None and len(uses) == 1 else None,
        severity=Severity.INFO if rounding or project.is_small(query.model) else Severity.WARNING,
    )


def _advice(project: Project, query: QueryObject, function: str, column: Column | None) -> str:
    where = at_query(project, query)
    if query.orm is Orm.SQLALCHEMY:
        owner = f"{query.model.name}.{column.name}" if query.model is not None and column is not None else ""
        name = {"Avg": "avg"}.get(function, function.lower())
        return f"select `func.{name}({owner})` instead of the rows in the query{where}"
    if function == "Count":
        return f"call `.count()` on the query{where} instead"
    default = ", default=0" if function == "Sum" else ""
    return f'call `.aggregate({function}("{column.name if column is not None else "…"}"{default}))` on the query{where} instead'
