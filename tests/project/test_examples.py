"""The bundled examples run, waste the queries they are meant to waste, and ormlint reports exactly these."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

# Where the number of queries grows with the number of rows; all other requests of the demos need a constant number.
GROWING = {
    "shop": {"/orders/", "/products/", "/categories/", "/api/orders/"},
    "warehouse": {"GET /shipments", "GET /office/countries", "POST /shipments/deliveries"},
}

# Each planted waste: file, rule, and a text that occurs once in that file, on a line the finding points at.
PLANTED = {
    "shop": [
        ("catalogue/admin.py", "ORM108", 'list_display = ["name", "parent"]'),
        ("catalogue/admin.py", "ORM108", "return product.category.name"),
        ("catalogue/selectors.py", "ORM201", "return len(reviews_of(product))"),
        ("catalogue/selectors.py", "ORM202", "reviews_of(product).count() > 0"),
        ("catalogue/views.py", "ORM102", "category.products.all()"),
        ("orders/api.py", "ORM106", "lines = OrderLineSerializer"),
        ("orders/api.py", "ORM106", 'source="product.name"'),
        ("orders/management/commands/close_stale_orders.py", "ORM101", "order.customer.email"),
        ("orders/models.py", "ORM102", "self.lines.all()"),
        ("orders/reports.py", "ORM101", "order.customer.name"),
        ("orders/services.py", "ORM301", "order.save()"),
        ("orders/services.py", "ORM303", "order.delete()"),
        ("orders/views.py", "ORM201", "len(open_orders)"),
        ("orders/views.py", "ORM203", "if queries.stale_orders():"),
        ("orders/views.py", "ORM210", "sum(line.quantity for line in queries.lines_sold())"),
        ("templates/catalogue/product_row.html", "ORM107", "product.category.name"),
    ],
    "warehouse": [
        ("warehouse/figures.py", "ORM102", "len(supplier.items)"),
        ("warehouse/figures.py", "ORM201", "len(session.query(Shipment)"),
        ("warehouse/figures.py", "ORM202", ".count() > 0"),
        ("warehouse/figures.py", "ORM210", "sum(item.on_hand for item in session.query(Item).all())"),
        ("warehouse/models.py", "ORM102", "for line in self.lines"),
        ("warehouse/services.py", "ORM101", "supplier=shipment.supplier.name"),
        ("warehouse/services.py", "ORM302", "session.execute(insert(StockMovement)"),
    ],
}
DEMO = {"shop": ["demo.py"], "warehouse": ["-m", "warehouse.demo"]}


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def findings(folder: Path) -> list[dict[str, object]]:
    report = json.loads(run(folder, "-m", "ormlint", "check", ".", "--output-format", "json", "--exit-zero", "--no-cache"))
    assert report["errors"] == []
    return list(report["findings"])


def lines_of(text: str, part: str) -> range:
    """Returns the numbers of the lines a part of a text covers; the part must occur exactly once."""
    assert text.count(part) == 1, f"{part!r} occurs {text.count(part)} times"
    first = text[: text.index(part)].count("\n") + 1
    return range(first, first + part.count("\n") + 1)


def points_at(finding: dict, path: str, lines: range) -> bool:
    return any(place["path"] == path and place["line"] in lines for place in [finding, *finding["related"]])


@pytest.mark.parametrize("example", DEMO)
def test_the_demo_shows_which_requests_waste_queries(example: str) -> None:
    rows = re.findall(r"^(.*?) +(\d+) +(\d+)$", run(EXAMPLES / example, *DEMO[example]), re.MULTILINE)
    assert {name for name, small, large in rows if int(large) > int(small)} == GROWING[example]
    assert {name for name, small, large in rows if small == large}, "a demo needs frugal requests too"


@pytest.mark.parametrize("example", PLANTED)
def test_exactly_the_planted_waste_is_reported(example: str) -> None:
    expected = [(path, code, part, lines_of((EXAMPLES / example / path).read_text(encoding="utf-8"), part)) for path, code, part in PLANTED[example]]
    reported = findings(EXAMPLES / example)
    missed = [
        (path, code, part) for path, code, part, lines in expected if not any(f["code"] == code and points_at(f, path, lines) for f in reported)
    ]
    surplus = [
        (f["path"], f["line"], f["code"], f["message"])
        for f in reported
        if not any(f["code"] == code and points_at(f, path, lines) for path, code, _, lines in expected)
    ]
    assert missed == []
    assert surplus == []


def test_a_database_is_made_by_the_documented_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE", str(tmp_path / "shop.sqlite3"))
    run(EXAMPLES / "shop", "manage.py", "migrate", "--verbosity", "0")
    assert "5 orders" in run(EXAMPLES / "shop", "manage.py", "seed_shop", "--orders", "5")
    run(EXAMPLES / "shop", "manage.py", "makemigrations", "--check", "--dry-run")
    assert "order 5 of" in run(EXAMPLES / "shop", "manage.py", "close_stale_orders", "--days", "0")
    monkeypatch.setenv("WAREHOUSE_DATABASE", f"sqlite:///{tmp_path}/warehouse.sqlite3")
    assert "5 shipments" in run(EXAMPLES / "warehouse", "-m", "warehouse.seed", "--shipments", "5")
