from django.contrib import admin

from catalogue.models import Category, Product, Review


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "parent"]


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["sku", "name", "category_name", "price", "stock"]
    search_fields = ["sku", "name"]

    @admin.display(description="category")
    def category_name(self, product):
        return product.category.name


@admin.register(Review)
class ReviewAdmin(admin.ModelAdmin):
    list_display = ["product", "customer", "stars"]
    list_select_related = ["product", "customer"]
