"""The work of the warehouse, between the routes and the statements."""

from collections.abc import Iterable, Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from warehouse import repository
from warehouse.models import Shipment, ShipmentLine, State, StockMovement, Supplier
from warehouse.schemas import Delivery, ShipmentOut, SupplierOut


def summary(shipment: Shipment) -> ShipmentOut:
    return ShipmentOut(id=shipment.id, supplier=shipment.supplier.name, due=shipment.due, pieces=shipment.pieces)


def announced(session: Session, offset: int, limit: int) -> list[ShipmentOut]:
    return [summary(shipment) for shipment in repository.announced_shipments(session, offset, limit)]


def assortments(suppliers: Sequence[Supplier]) -> list[SupplierOut]:
    return [SupplierOut(name=supplier.name, items=[item.name for item in supplier.items]) for supplier in suppliers]


def receive(session: Session, shipment_id: int) -> int:
    """Puts a shipment into stock; returns the number of its lines."""
    shipment = session.get_one(Shipment, shipment_id)
    for line in shipment.lines:
        line.item.on_hand += line.quantity
        session.execute(insert(StockMovement).values(item_id=line.item_id, change=line.quantity))
    shipment.state = State.RECEIVED
    session.commit()
    return len(shipment.lines)


def book(session: Session, deliveries: Iterable[Delivery]) -> None:
    """Books deliveries that came without a shipment."""
    for delivery in deliveries:
        item = repository.item_by_code(session, delivery.code)
        item.on_hand += delivery.quantity
    session.commit()


def drop_empty_lines(session: Session) -> None:
    for line in session.scalars(select(ShipmentLine).where(ShipmentLine.quantity == 0)):
        session.delete(line)
    session.commit()
