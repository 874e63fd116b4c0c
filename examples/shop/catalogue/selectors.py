"""The queries of the catalogue, so that views need not build their own."""

from catalogue.models import Category, Product, Review


def products_on_sale():
    return Product.objects.in_stock().order_by("category__name", "name")


def products_for_shop_window(limit=6):
    return products_on_sale().with_category()[:limit]


def top_categories():
    return Category.objects.filter(parent=None)


def reviews_of(product):
    return Review.objects.filter(product=product).order_by("-stars")


def has_reviews(product):
    return reviews_of(product).count() > 0


def review_count(product):
    return len(reviews_of(product))


def average_stars(product):
    reviews = Review.objects.filter(product=product)
    total = sum(review.stars for review in reviews)
    return total / max(review_count(product), 1)
