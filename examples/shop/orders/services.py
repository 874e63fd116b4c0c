"""What changes orders."""

from django.db import transaction

from catalogue.models import Product
from orders.models import Order, OrderLine


@transaction.atomic
def place_order(customer, basket):
    """Returns the new order; `basket` maps the article number of a product to a quantity."""
    order = Order.objects.create(customer=customer)
    for sku, quantity in basket.items():
        product = Product.objects.get(sku=sku)
        OrderLine.objects.create(order=order, product=product, quantity=quantity, unit_price=product.price)
    return order


def ship(orders):
    for order in orders:
        order.status = Order.Status.SHIPPED
        order.save()


def discard(orders):
    for order in orders:
        order.delete()


def cancel(orders):
    return orders.update(status=Order.Status.CANCELLED)
