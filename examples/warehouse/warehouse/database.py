"""The engine and the session of a request; `WAREHOUSE_DATABASE` names another database."""

import os
from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import StaticPool

URL = os.environ.get("WAREHOUSE_DATABASE", "sqlite:///warehouse.sqlite3")
IN_MEMORY = {"poolclass": StaticPool} if URL == "sqlite://" else {}
engine = create_engine(URL, connect_args={"check_same_thread": False}, **IN_MEMORY)
SessionLocal = sessionmaker(bind=engine)


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session
