from django.core.management.base import BaseCommand

from orders import queries, services


class Command(BaseCommand):
    help = "Ships what is packed, and deletes orders that nobody paid for."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=90)

    def handle(self, *args, days, **options):
        packed = queries.open_orders().filter(note="packed")
        services.ship(packed)
        stale = queries.stale_orders(days)
        for order in stale:
            self.stdout.write(f"{order} of {order.customer.email}")
        services.discard(stale)
