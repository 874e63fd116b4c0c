"""The figures of the back office, written when the service still ran on SQLAlchemy 1.3."""

from sqlalchemy.orm import Session, joinedload

from warehouse.models import Item, Shipment, State, Supplier


def shipments_announced(session: Session) -> int:
    return len(session.query(Shipment).filter(Shipment.state == State.ANNOUNCED).all())


def is_anything_missing(session: Session) -> bool:
    return session.query(Item).filter(Item.on_hand == 0).count() > 0


def pieces_on_hand(session: Session) -> int:
    return sum(item.on_hand for item in session.query(Item).all())


def items_per_country(session: Session) -> dict[str, int]:
    counts: dict[str, int] = {}
    for supplier in session.query(Supplier):
        counts[supplier.country] = counts.get(supplier.country, 0) + len(supplier.items)
    return counts


def origins(session: Session) -> dict[str, str]:
    rows = session.query(Item).options(joinedload(Item.supplier)).filter(Item.on_hand > 0)
    return {item.code: item.supplier.country for item in rows}
