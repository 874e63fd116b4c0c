"""What the service sends and takes."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    code: str
    name: str
    on_hand: int


class ShipmentOut(BaseModel):
    id: int
    supplier: str
    due: date
    pieces: int


class SupplierOut(BaseModel):
    name: str
    items: list[str]


class Delivery(BaseModel):
    code: str
    quantity: int
