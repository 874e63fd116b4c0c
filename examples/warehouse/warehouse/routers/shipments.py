from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session

from warehouse import services
from warehouse.database import get_session
from warehouse.schemas import Delivery, ShipmentOut

router = APIRouter(prefix="/shipments", tags=["shipments"])
Db = Annotated[Session, Depends(get_session)]


@router.get("")
def list_shipments(session: Db, offset: int = 0, limit: Annotated[int, Query(le=100)] = 50) -> list[ShipmentOut]:
    return services.announced(session, offset, limit)


@router.post("/{shipment_id}/receive")
def receive_shipment(shipment_id: int, session: Db) -> dict[str, int]:
    return {"lines": services.receive(session, shipment_id)}


@router.post("/deliveries", status_code=204)
def book_deliveries(deliveries: list[Delivery], session: Db) -> None:
    services.book(session, deliveries)


@router.delete("/lines/empty", status_code=204)
def delete_empty_lines(session: Db) -> None:
    services.drop_empty_lines(session)
