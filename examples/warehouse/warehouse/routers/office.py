from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.orm import Session

from warehouse import figures, repository, services
from warehouse.database import get_session
from warehouse.schemas import SupplierOut

router = APIRouter(prefix="/office", tags=["office"])
Db = Annotated[Session, Depends(get_session)]


@router.get("/figures")
def read_figures(session: Db) -> dict[str, object]:
    return {
        "announced": figures.shipments_announced(session),
        "missing": figures.is_anything_missing(session),
        "pieces": figures.pieces_on_hand(session),
    }


@router.get("/countries")
def read_countries(session: Db) -> dict[str, int]:
    return figures.items_per_country(session)


@router.get("/suppliers")
def list_suppliers(session: Db) -> list[SupplierOut]:
    return services.assortments(repository.suppliers_with_items(session))
