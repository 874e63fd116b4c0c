"""What the methods of SQLAlchemy's Query, Select, Session and Result do.

Source: sqlalchemy.orm (1.4 to 2.1), flask_sqlalchemy 3, sqlmodel, and measurements with query counting on SQLite.
"""

PACKAGES = frozenset({"sqlalchemy", "sqlmodel"})
SESSION_METHODS = frozenset(
    {
        "query",
        "execute",
        "scalars",
        "scalar",
        "get",
        "get_one",
        "exec",
        "stream",
        "stream_scalars",
        "add",
        "add_all",
        "delete",
        "merge",
        "flush",
        "commit",
        "rollback",
        "refresh",
        "expire",
        "expire_all",
        "expunge",
        "expunge_all",
        "close",
        "begin",
        "begin_nested",
        "connection",
        "bulk_save_objects",
        "bulk_insert_mappings",
        "bulk_update_mappings",
        "run_sync",
        "no_autoflush",
        "is_modified",
        "bind",
        "get_bind",
        "in_transaction",
        "remove",
    }
)
SESSION_TYPES = frozenset({"Session", "scoped_session", "AsyncSession", "async_scoped_session", "sessionmaker", "async_sessionmaker", "SQLAlchemy"})
BUILDERS = frozenset(
    {
        "filter",
        "filter_by",
        "where",
        "join",
        "outerjoin",
        "join_from",
        "select_from",
        "order_by",
        "group_by",
        "having",
        "limit",
        "offset",
        "slice",
        "distinct",
        "options",
        "execution_options",
        "with_for_update",
        "correlate",
        "populate_existing",
        "enable_eagerloads",
        "params",
        "prefix_with",
        "with_entities",
        "add_columns",
        "add_entity",
        "add_column",
        "with_only_columns",
        "reset_joinpoint",
        "union",
        "union_all",
        "intersect",
        "except_",
        "from_self",
        "yield_per",
        "autoflush",
        "with_session",
        "with_hint",
        "with_labels",
        "set_label_style",
        "enable_assertions",
        "with_parent",
        "from_statement",
        "tablesample",
        "add_criteria",
        "with_loader_criteria",
        "outerjoin_from",
        "select",
        "unique",
    }
)
COLUMN_BUILDERS = frozenset({"with_entities", "with_only_columns"})  # select something else
FURTHER_ENTITIES = frozenset({"add_entity", "add_columns", "add_column"})  # select more
ROW_LISTS = frozenset({"all", "fetchall", "partitions", "fetchmany"})
ONE_ROW = frozenset(
    {
        "first",
        "one",
        "one_or_none",
        "scalar_one",
        "scalar_one_or_none",
        "scalar",
        "fetchone",
        "get",
        "get_or_404",
        "first_or_404",
        "one_or_404",
    }
)
GET_OPTIONS = frozenset(
    {
        "entity",
        "ident",
        "options",
        "populate_existing",
        "with_for_update",
        "identity_token",
        "execution_options",
        "bind_arguments",
    }
)
LOADERS = frozenset(
    {
        "joinedload",
        "selectinload",
        "subqueryload",
        "contains_eager",
        "immediateload",
        "lazyload",
        "raiseload",
        "noload",
        "defaultload",
        "load_only",
        "defer",
        "undefer",
        "selectin_polymorphic",
        "undefer_group",
        "with_expression",
        "joinedload_all",
        "subqueryload_all",
        "contains_alias",
    }
)

QUERY_CLASSES = frozenset(
    {
        "sqlalchemy.Select",
        "sqlalchemy.orm.Query",
        "sqlalchemy.orm.query.Query",
        "sqlalchemy.sql.Select",
        "sqlalchemy.sql.expression.Select",
        "sqlalchemy.sql.selectable.Select",
        "sqlmodel.sql.expression.Select",
        "sqlmodel.sql.expression.SelectOfScalar",
    }
)
"""Queries and statements that select, as imports and annotations call their classes."""

SELECT_CLASSES = frozenset(path for path in QUERY_CLASSES if ".orm." not in path)

DIRECTIONS = frozenset({"asc", "desc", "nulls_first", "nulls_last", "nullsfirst", "nullslast"})
"""Methods of a column and functions that tell how order_by() sorts by it."""
