"""What calls may change, judged by their names alone, where nothing else is known of them.

These names only ever make the analysis more careful: after such a call the same query is taken to give other rows.
"""

from ormlint.library import querysets

SQL = frozenset({"django.db.models", "sqlalchemy", "sqlmodel"})
"""Packages whose functions make pieces of SQL and run nothing."""
PURE = frozenset({"str", "int", "float", "bool", "len", "list", "tuple", "set", "frozenset", "sorted", "min", "max", "abs", "round", "sum"})
"""Builtins that give the same for the same arguments."""
CLOCK = frozenset({"now", "today", "utcnow", "localtime", "localdate"})
"""Functions whose values differ from call to call, but not so that anybody wants the difference."""
RANDOM = frozenset({"random", "rand", "newid", "Random", "RandomUUID", "gen_random_uuid", "uuid_generate_v4"})
"""Functions of databases that give something else for every row, and every time."""
CHANGING = frozenset({
    "append", "appendleft", "add", "extend", "insert", "update", "setdefault", "pop", "popitem", "popleft", "remove", "discard", "clear",
    "sort", "reverse", "push",
})  # fmt: skip
"""Methods that change the container they are called on."""
WRITING = querysets.WRITES | frozenset({
    "save", "asave", "adelete", "commit", "flush", "execute", "executemany", "rollback", "refresh", "refresh_from_db", "sync", "run",
    "write", "store", "process", "import_data", "apply", "sleep", "wait", "send", "post", "put", "patch", "is_valid", "full_clean",
    "start", "join", "result", "expire", "expire_all",
})  # fmt: skip
"""Methods that, called on something unknown, may change what is in the database, or let others do so."""
