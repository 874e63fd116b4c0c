from django.shortcuts import render
from django.views.generic import DetailView, ListView

from catalogue import selectors
from catalogue.models import Product


class ProductListView(ListView):
    """All products on sale, a page at a time."""

    template_name = "catalogue/product_list.html"
    context_object_name = "products"
    paginate_by = 25

    def get_queryset(self):
        return selectors.products_on_sale()


class ProductDetailView(DetailView):
    model = Product
    template_name = "catalogue/product_detail.html"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        context["reviews"] = selectors.reviews_of(self.object).select_related("customer")[:20]
        context["has_reviews"] = selectors.has_reviews(self.object)
        context["average"] = selectors.average_stars(self.object)
        return context


def category_list(request):
    """The categories with the products in each of them."""
    sections = []
    for category in selectors.top_categories():
        names = [product.name for product in category.products.all()]
        sections.append({"category": category, "names": names})
    return render(request, "catalogue/category_list.html", {"sections": sections})
