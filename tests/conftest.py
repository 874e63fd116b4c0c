"""Makes the literate cases below `fixtures/` part of the suite."""

from tests.cases.plugin import pytest_collect_file, pytest_configure, pytest_sessionfinish

__all__ = ["pytest_collect_file", "pytest_configure", "pytest_sessionfinish"]
