from django.contrib import admin
from django.urls import include, path
from rest_framework.routers import DefaultRouter

from catalogue import views as catalogue
from orders import views as orders
from orders.api import OrderViewSet, ProductViewSet

router = DefaultRouter()
router.register("orders", OrderViewSet)
router.register("products", ProductViewSet)

urlpatterns = [
    path("", orders.dashboard, name="dashboard"),
    path("orders/", orders.order_list, name="order-list"),
    path("customers/<int:pk>/orders/", orders.customer_orders, name="customer-orders"),
    path("products/", catalogue.ProductListView.as_view(), name="product-list"),
    path("categories/", catalogue.category_list, name="category-list"),
    path("products/<int:pk>/", catalogue.ProductDetailView.as_view(), name="product-detail"),
    path("api/", include(router.urls)),
    path("admin/", admin.site.urls),
]
