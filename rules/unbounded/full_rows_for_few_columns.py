"""ORM404: whole rows are loaded, and only few of their columns are read."""

from collections.abc import Iterator

from ormlint.api import Orm, Project, QueryLog, QueryObject, ReadColumn, Report, Severity, UseKind, rule
from ormlint.judge.describe import at_query, joined, query_labels
from ormlint.judge.few_columns import few_columns


@rule("ORM404", "full-rows-for-few-columns", severity=Severity.INFO, stable=False)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Yields a report for every query of whose rows only few columns are read."""
    for query, columns in few_columns(project, log).items():
        if query.model is None:
            continue
        yield Report(
            site=query.site,
            message=f"whole `{query.model.name}` rows are loaded, and only {_names(columns)} {'is' if len(columns) == 1 else 'are'} read",
            help=_advice(project, query, columns),
            cause=(query.site,),
            labels=query_labels(project, query, [use for use in query.all_uses() if use.columns], "this reads the columns")[1:],
            intent=_values(query, columns),
        )


def _values(query: QueryObject, columns: tuple[str, ...]) -> ReadColumn | None:
    """Returns what reads the only column, if the rows are walked once and nothing else is done with the query."""
    walks = [use for use in query.all_uses() if use.kind is UseKind.ITERATE and use.columns]
    return ReadColumn(query, walks[0].site, columns[0]) if len(columns) == len(walks) == 1 else None


def _names(columns: tuple[str, ...]) -> str:
    return joined(f"`{name}`" for name in columns)


def _advice(project: Project, query: QueryObject, columns: tuple[str, ...]) -> str:
    where = at_query(project, query)
    if query.orm is Orm.SQLALCHEMY:
        return f"select {_names(columns)} instead of the model in the query{where}"
    names = ", ".join(f'"{name}"' for name in columns)
    if len(columns) == 1:
        return f"add `.values_list({names}, flat=True)` to the query{where}"
    return f"add `.values_list({names})` or `.only({names})` to the query{where}"
