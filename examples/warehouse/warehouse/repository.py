"""The statements of the service, each in one place."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from warehouse.models import Item, Shipment, State, Supplier


def announced_shipments(session: Session, offset: int, limit: int) -> Sequence[Shipment]:
    statement = select(Shipment).where(Shipment.state == State.ANNOUNCED).order_by(Shipment.due).offset(offset).limit(limit)
    return session.scalars(statement).all()


def all_items(session: Session) -> Sequence[Item]:
    return session.scalars(select(Item).order_by(Item.code)).all()


def suppliers_with_items(session: Session, limit: int = 100) -> Sequence[Supplier]:
    return session.scalars(select(Supplier).options(selectinload(Supplier.items)).order_by(Supplier.name).limit(limit)).all()


def item_by_code(session: Session, code: str) -> Item:
    return session.scalars(select(Item).where(Item.code == code)).one()
