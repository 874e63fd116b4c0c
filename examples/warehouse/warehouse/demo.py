"""Serves some requests from a database in memory and prints how many queries each of them runs.

    python -m warehouse.demo [--shipments N]

Each request is served twice: with N shipments in the warehouse and with twice as many. A request whose number grows
with the warehouse is one that ormlint reports.
"""

import argparse
import os

os.environ["WAREHOUSE_DATABASE"] = "sqlite://"

from fastapi.testclient import TestClient
from sqlalchemy import event

from warehouse.database import SessionLocal, engine
from warehouse.main import app
from warehouse.models import Base
from warehouse.seed import seed

GETS = ["/items", "/items/I0001", "/shipments", "/office/figures", "/office/countries", "/office/suppliers"]


def queries_per_request(shipments: int) -> dict[str, int]:
    """Returns the number of queries of each request to a warehouse with so many shipments."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with SessionLocal() as session:
        seed(session, shipments)
    statements: list[str] = []

    def count(connection, cursor, statement, parameters, context, executemany) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", count)
    client, counts = TestClient(app), {}
    try:
        for path in GETS:
            statements.clear()
            client.get(path).raise_for_status()
            counts[f"GET {path}"] = len(statements)
        deliveries = [{"code": f"I{n:04}", "quantity": 1} for n in range(shipments)]
        statements.clear()
        client.post("/shipments/deliveries", json=deliveries).raise_for_status()
        counts["POST /shipments/deliveries"] = len(statements)
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shipments", type=int, default=10, help="size of the smaller warehouse (default: 10)")
    shipments = parser.parse_args().shipments
    small, large = queries_per_request(shipments), queries_per_request(2 * shipments)
    print(f"{'request':28}{f'{shipments} shipments':>14}{f'{2 * shipments} shipments':>14}")
    for request in small:
        print(f"{request:28}{small[request]:>14}{large[request]:>14}")


if __name__ == "__main__":
    main()
