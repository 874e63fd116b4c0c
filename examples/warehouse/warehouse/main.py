"""The service: `uvicorn warehouse.main:app`."""

from fastapi import FastAPI

from warehouse.routers import items, office, shipments

app = FastAPI(title="Warehouse")
app.include_router(items.router)
app.include_router(office.router)
app.include_router(shipments.router)
