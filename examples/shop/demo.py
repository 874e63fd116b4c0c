"""Serves some pages of the shop from a database in memory and prints how many queries each of them runs.

    python demo.py [--orders N]

Each page is served twice: with N orders in the shop and with twice as many. A page whose number grows with the shop
is one that ormlint reports.
"""

import argparse
import io
import os

import django
from django.core.management import call_command

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ["SHOP_DATABASE"] = ":memory:"
PAGES = ["/", "/orders/", "/customers/1/orders/", "/products/", "/categories/", "/products/1/", "/api/orders/", "/api/products/"]


def queries_per_page(orders):
    """Returns the number of queries of each page of a shop with so many orders."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    call_command("seed_shop", orders=orders, stdout=io.StringIO())
    client, counts = Client(), {}
    for page in PAGES:
        with CaptureQueriesContext(connection) as captured:
            response = client.get(page)
        assert response.status_code == 200, f"{page}: {response.status_code}"
        counts[page] = len(captured)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--orders", type=int, default=10, help="size of the smaller shop (default: 10)")
    orders = parser.parse_args().orders
    django.setup()
    small, large = queries_per_page(orders), queries_per_page(2 * orders)
    print(f"{'page':24}{f'{orders} orders':>14}{f'{2 * orders} orders':>14}")
    for page in PAGES:
        print(f"{page:24}{small[page]:>14}{large[page]:>14}")


if __name__ == "__main__":
    main()
