"""What a sitemap asks of its items, one after the other. Measured with Django 5.2."""

from django.core.paginator import Paginator

from ormlint.intrinsics import is_unset, ordered


class Sitemap:
    limit = 50000
    i18n = False

    @property
    def paginator(self):
        return Paginator(ordered(self.items()) if self.limit == 50000 else self.items(), self.limit)

    def items(self):
        return []

    def location(self, item):
        return item.get_absolute_url()

    def get_urls(self, page=1, site=None, protocol=None):
        urls = []
        if is_unset(self.i18n):  # else the items are pairs of an item and a language
            for item in self.paginator.page(page).object_list:
                location, modified = self.location(item), self.lastmod(item)
                urls.append({"location": location, "lastmod": modified, "changefreq": self.changefreq(item), "priority": self.priority(item)})
        return urls


class GenericSitemap(Sitemap):
    def __init__(self, info_dict, priority=None, changefreq=None, protocol=None):
        self.queryset = info_dict["queryset"]

    def items(self):
        return self.queryset.filter()

    def lastmod(self, item):
        return None
