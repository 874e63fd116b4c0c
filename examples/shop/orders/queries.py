"""The queries of the order desk."""

from datetime import timedelta

from django.utils import timezone

from orders.models import Order, OrderLine


def days_ago(days):
    return timezone.now() - timedelta(days=days)


def recent_orders(days=30):
    return Order.objects.filter(placed_at__gte=days_ago(days))


def orders_of(customer):
    return Order.objects.filter(customer=customer).prefetch_related("lines__product")


def open_orders():
    return Order.objects.filter(status=Order.Status.OPEN)


def stale_orders(days=90):
    return open_orders().filter(placed_at__lt=days_ago(days))


def lines_sold():
    return OrderLine.objects.exclude(order__status=Order.Status.CANCELLED)
