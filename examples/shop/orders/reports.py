"""What the order desk sees: plain dictionaries made of orders."""


def describe(order):
    return {
        "number": order.pk,
        "customer": order.customer.name,
        "placed_at": order.placed_at,
        "total": order.total,
    }


def order_rows(orders):
    return [describe(order) for order in orders]


def packing_list(orders):
    """What to pick from the shelves; the caller has loaded lines and products."""
    return [f"{line.quantity} x {line.product.name}" for order in orders for line in order.lines.all()]
