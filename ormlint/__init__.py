"""A linter for database queries: runs a program against an imaginary database and judges its query log."""

__version__ = "0.1.0"
