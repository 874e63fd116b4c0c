from collections.abc import Sequence

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import select
from sqlalchemy.orm import Session

from warehouse import repository
from warehouse.database import get_session
from warehouse.models import Item
from warehouse.schemas import ItemOut

router = APIRouter(prefix="/items", tags=["items"])


@router.get("", response_model=list[ItemOut])
def list_items(session: Session = Depends(get_session)) -> Sequence[Item]:
    return repository.all_items(session)


@router.get("/{code}", response_model=ItemOut)
def read_item(code: str, session: Session = Depends(get_session)) -> Item:
    item = session.scalars(select(Item).where(Item.code == code)).one_or_none()
    if item is None:
        raise HTTPException(404, "no such item")
    return item
