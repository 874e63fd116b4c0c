from datetime import date
from enum import Enum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class State(Enum):
    ANNOUNCED = "announced"
    RECEIVED = "received"


class Supplier(Base):
    __tablename__ = "supplier"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    country: Mapped[str] = mapped_column(String(2))
    items: Mapped[list["Item"]] = relationship(back_populates="supplier")


class Location(Base):
    __tablename__ = "location"

    id: Mapped[int] = mapped_column(primary_key=True)
    aisle: Mapped[str] = mapped_column(String(4))


class Item(Base):
    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    on_hand: Mapped[int] = mapped_column(default=0)
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"), index=True)
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"), index=True)
    supplier: Mapped[Supplier] = relationship(back_populates="items")
    location: Mapped[Location] = relationship(lazy="joined")


class Shipment(Base):
    __tablename__ = "shipment"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[State] = mapped_column(default=State.ANNOUNCED)
    due: Mapped[date]
    supplier_id: Mapped[int] = mapped_column(ForeignKey("supplier.id"), index=True)
    supplier: Mapped[Supplier] = relationship()
    lines: Mapped[list["ShipmentLine"]] = relationship(back_populates="shipment", cascade="all, delete-orphan")

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)


class ShipmentLine(Base):
    __tablename__ = "shipment_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipment.id"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    shipment: Mapped[Shipment] = relationship(back_populates="lines")
    item: Mapped[Item] = relationship()


class StockMovement(Base):
    __tablename__ = "stock_movement"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)
    change: Mapped[int]
