from datetime import timedelta
from decimal import Decimal

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from catalogue.models import Category, Product, Review
from customers.models import Customer
from orders.models import Order, OrderLine

CITIES = ["Aachen", "Bergen", "Cádiz", "Dublin"]


class Command(BaseCommand):
    help = "Fills an empty shop; the same size gives the same shop every time."

    def add_arguments(self, parser):
        parser.add_argument("--orders", type=int, default=40, help="how many orders to create (default: 40)")

    @transaction.atomic
    def handle(self, *args, orders, **options):
        top = Category.objects.bulk_create(Category(name=f"Subject {n}") for n in range(max(orders // 2, 5)))
        leaves = Category.objects.bulk_create(
            Category(name=f"{parent.name}, {kind}", parent=parent) for parent in top for kind in ("loose", "packed")
        )
        places = [*top, *leaves]
        products = Product.objects.bulk_create(
            Product(sku=f"P{n:04}", name=f"Product {n}", category=places[n % len(places)], price=Decimal(n % 17 + 1), stock=n % 9 + 1)
            for n in range(max(orders, 10))
        )
        customers = Customer.objects.bulk_create(
            Customer(name=f"Customer {n}", email=f"customer{n}@example.org", city=CITIES[n % len(CITIES)]) for n in range(max(orders // 2, 5))
        )
        Review.objects.bulk_create(
            Review(product=product, customer=customers[n % len(customers)], stars=n % 5 + 1) for n, product in enumerate(products)
        )
        now = timezone.now()
        placed = Order.objects.bulk_create(Order(customer=customers[n % len(customers)], placed_at=now - timedelta(hours=n)) for n in range(orders))
        OrderLine.objects.bulk_create(
            OrderLine(
                order=order, product=products[(3 * n + k) % len(products)], quantity=k + 1, unit_price=products[(3 * n + k) % len(products)].price
            )
            for n, order in enumerate(placed)
            for k in range(3)
        )
        self.stdout.write(f"{len(placed)} orders, {len(products)} products, {len(customers)} customers")
