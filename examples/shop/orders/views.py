from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, render

from catalogue.selectors import products_for_shop_window
from customers.models import Customer
from orders import queries, reports


def dashboard(request):
    """The figures of the day."""
    open_orders = queries.open_orders()
    context = {
        "open": len(open_orders),
        "pieces_sold": sum(line.quantity for line in queries.lines_sold()),
        "shop_window": [product.shelf for product in products_for_shop_window()],
    }
    if queries.stale_orders():
        context["warning"] = "some orders have been open for months"
    return render(request, "orders/dashboard.html", context)


def order_list(request):
    """The latest orders, a page at a time."""
    page = Paginator(queries.recent_orders(), 50).get_page(request.GET.get("page"))
    rows = reports.order_rows(page.object_list)
    return render(request, "orders/order_list.html", {"page": page, "rows": rows})


def customer_orders(request, pk):
    customer = get_object_or_404(Customer, pk=pk)
    orders = list(queries.orders_of(customer)[:100])
    return render(request, "orders/customer_orders.html", {"customer": customer, "rows": reports.packing_list(orders)})
