"""ORM404: whole rows are loaded, and only few of their columns are read."""

from collections.abc import Iterator

from ormlint.api import Orm, Project, QueryLog, QueryObject, ReadColumn, Report, Severity, UseKind, rule
from ormlint.judge.describe import at_query, joined, query_labels
from ormlint.judge.few_columns import few_columns, unread_large_columns


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
    for query, columns in unread_large_columns(project, log).items():
        if query.model is None:
            continue
        yield Report(
            site=query.site,
            message=f"{_names(columns)} {'is' if len(columns) == 1 else 'are'} loaded with every `{query.model.name}` row, and not read",
            help=_deferring(project, query, columns),
            cause=(query.site,),
            labels=query_labels(project, query, [use for use in query.all_uses() if use.columns], "this reads other columns")[1:],
        )


def _values(query: QueryObject, columns: tuple[str, ...]) -> ReadColumn | None:
    """Returns what reads the only column, if the rows are walked once and nothing else is done with the query."""
    walks = [use for use in query.all_uses() if use.kind is UseKind.ITERATE and use.columns]
    single = len(columns) == len(walks) == 1 and walks[0].columns == frozenset(columns)
    return ReadColumn(query, walks[0].site, columns[0]) if single else None


def _deferring(project: Project, query: QueryObject, columns: tuple[str, ...]) -> str:
    model = query.model.name if query.model is not None else ""
    if query.orm is Orm.SQLALCHEMY:
        options = ", ".join(f"defer({model}.{name})" for name in columns)
        return f"add `.options({options})` to the query{at_query(project, query)}"
    names = ", ".join(f'"{name}"' for name in columns)
    return f"add `.defer({names})` to the query{at_query(project, query)}"


def _names(columns: tuple[str, ...]) -> str:
    return joined(f"`{name}`" for name in columns)


def _advice(project: Project, query: QueryObject, columns: tuple[str, ...]) -> str:
    where = at_query(project, query) if query.parent is None else " that the call gives"
    by_methods = any(use.columns and not use.columns.issubset(columns) for use in query.all_uses())  # which need the row
    if query.orm is Orm.SQLALCHEMY:
        if by_methods and query.model is not None:
            return f"add `.options(load_only({', '.join(f'{query.model.name}.{name}' for name in columns)}))` to the query{where}"
        return f"select {_names(columns)} instead of the model in the query{where}"
    names = ", ".join(f'"{name}"' for name in columns)
    if by_methods:
        return f"add `.only({names})` to the query{where}"
    if len(columns) == 1:
        return f"add `.values_list({names}, flat=True)` to the query{where}"
    return f"add `.values_list({names})` or `.only({names})` to the query{where}"
