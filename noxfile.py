"""The runnable cases under other releases of the libraries than the newest: `nox` (needs `pip install nox`).

A session installs the project with one release of Django and one of SQLAlchemy, executes every case there, counts its statements and
compares them with the query log. `nox -s cases-3.10` chooses by interpreter.
"""

import nox

PAIRS = {
    "3.10": ("django==4.2.*", "sqlalchemy==1.4.*", "flask-sqlalchemy==3.0.*"),
    "3.11": ("django==5.2.*", "sqlalchemy==2.0.*", "flask-sqlalchemy"),
    "3.13": ("django>=6.0", "sqlalchemy>=2.1", "flask-sqlalchemy"),
}


@nox.session(python=list(PAIRS))
def cases(session: nox.Session) -> None:
    """Executes the cases under the releases that go with one interpreter."""
    session.install("-e", ".[test]", *PAIRS[str(session.python)])
    session.run("python", "-m", "pytest", "-q", "-m", "run or agree", "tests/fixtures", *session.posargs)
