"""Fills an empty warehouse: `python -m warehouse.seed [--shipments N]`."""

import argparse
from datetime import date, timedelta

from sqlalchemy.orm import Session

from warehouse.database import SessionLocal, engine
from warehouse.models import Base, Item, Location, Shipment, ShipmentLine, Supplier

COUNTRIES = ["DE", "ES", "IE", "NO"]


def seed(session: Session, shipments: int) -> None:
    """Adds so many shipments, and suppliers and items to match; the same size gives the same rows every time."""
    locations = [Location(aisle=f"{row}{n}") for row in "AB" for n in range(3)]
    suppliers = [Supplier(name=f"Supplier {n}", country=COUNTRIES[n % 4]) for n in range(shipments)]
    items = [
        Item(code=f"I{n:04}", name=f"Item {n}", on_hand=n % 7, supplier=suppliers[n % shipments], location=locations[n % 6])
        for n in range(2 * shipments)
    ]
    session.add_all([*locations, *suppliers, *items])
    for n in range(shipments):
        lines = [ShipmentLine(item=items[(n + k) % len(items)], quantity=k) for k in range(3)]
        session.add(Shipment(due=date(2030, 1, 1) + timedelta(days=n), supplier=suppliers[n], lines=lines))
    session.commit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shipments", type=int, default=40, help="how many shipments to create (default: 40)")
    shipments = parser.parse_args().shipments
    Base.metadata.create_all(engine)
    with SessionLocal() as session:
        seed(session, shipments)
    print(f"{shipments} shipments")


if __name__ == "__main__":
    main()
