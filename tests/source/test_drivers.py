"""Which databases a project has drivers for."""

from pathlib import Path

import pytest

from ormlint.source.drivers import has_only_mysql


@pytest.mark.parametrize(
    ("file", "text", "only"),
    [
        ("pyproject.toml", 'dependencies = ["SQLAlchemy>=2", "PyMySQL"]', True),
        ("requirements.txt", "mysqlclient==2.2\nsqlalchemy\n", True),
        ("requirements/base.txt", "mysql_connector_python\n", True),
        ("setup.py", 'install_requires=["pymysql", "psycopg2-binary"]', False),
        ("pyproject.toml", 'dependencies = ["sqlalchemy"]', False),
        ("pyproject.toml", 'dependencies = ["mysqlclient-stubs"]', False),
    ],
)
def test_requirements_name_the_drivers(tmp_path: Path, file: str, text: str, only: bool) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert has_only_mysql(tmp_path) is only


def test_no_requirements_say_nothing(tmp_path: Path) -> None:
    assert not has_only_mysql(tmp_path)
