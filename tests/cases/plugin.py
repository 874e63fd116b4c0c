"""Collects literate cases as pytest items.

fixtures/…/theme.md::A property reads the relation[findings]   findings, revealed types, query log, schema, output
                                                  [fix]        every fix offered, and the pinned one
                                                  [run]        the number of statements under the real ORM
                                                  [agree]      the query log and the fix against the real ORM
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cases import checks
from tests.cases.document import Case, DocumentError, read_cases
from tests.cases.execution import Laboratory, Program
from tests.cases.rewrite import Rewriter

FIXTURES = Path(__file__).parents[1] / "fixtures"

NEWER_THAN_1 = ("DeclarativeBase", "Mapped[", "mapped_column")  # what SQLAlchemy 1.4 lacks of the mapping of 2.0

LABORATORY = pytest.StashKey[Laboratory]()
REWRITER = pytest.StashKey[Rewriter]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[LABORATORY] = Laboratory()
    config.stash[REWRITER] = Rewriter()
    for check in checks.ALL:
        config.addinivalue_line("markers", f"{check.__name__}: {check.__doc__}")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".md" and file_path.is_relative_to(FIXTURES):
        return Document.from_parent(parent, path=file_path)
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[REWRITER].write()


class Document(pytest.File):
    """A Markdown file with cases."""

    def collect(self) -> Iterator[pytest.Item]:
        for case in self._cases():
            for check in checks.checks_of(case):
                yield CaseItem.from_parent(self, name=f"{case.title}[{check.__name__}]", case=case, check=check)

    def _cases(self) -> list[Case]:
        try:
            return read_cases(self.path)
        except DocumentError as error:
            raise self.CollectError(f"{self.path}: {error}") from error


class CaseItem(pytest.Item):
    """One check of one case."""

    def __init__(self, *, case: Case, check: checks.Check, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.case = case
        self.check = check
        self.add_marker(check.__name__)

    def runtest(self) -> None:
        laboratory = self.config.stash[LABORATORY]
        if self.check in checks.EXECUTING:
            if not self._runs_here():
                pytest.skip("written for another release")
            laboratory.execute(program for item in self.session.items if isinstance(item, CaseItem) for program in item.programs())
        self.check(self.case, laboratory, self.config.stash[REWRITER])

    def _runs_here(self) -> bool:
        assert self.case.runnable is not None
        installed = version(self.case.runnable.orm)
        if not self.case.runnable.runs_under(installed):
            return False
        if self.case.runnable.orm != "sqlalchemy" or not installed.startswith("1."):
            return True
        return not any(word in text for text in self.case.texts.values() for word in NEWER_THAN_1)

    def programs(self) -> Iterator[Program]:
        """Yields what this check needs executed."""
        if self.check in checks.EXECUTING:
            yield from checks.programs_of(self.case, also_fixed=self.check is checks.agree)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, checks.CaseError):
            return f"{self.path}:{self.case.line}: {self.case.title}\n\n{excinfo.value}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, self.name
