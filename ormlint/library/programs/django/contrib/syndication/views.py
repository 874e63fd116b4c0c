"""What a syndication feed asks of its items, one after the other. Measured with Django 5.2."""


class Feed:
    def __call__(self, request, *args, **kwargs):
        return self.get_feed(self.get_object(request, *args, **kwargs), request)

    def get_object(self, request, *args, **kwargs):
        return None

    def get_feed(self, obj, request):
        for item in self.items(obj):
            self.get_context_data(item=item, site=None, obj=obj, request=request)
            str(self.item_title(item))
            str(self.item_description(item))
            self.item_link(item)
            self.item_guid(item)
            str(self.item_author_name(item))
            self.item_author_email(item)
            self.item_author_link(item)
            self.item_pubdate(item)
            self.item_updateddate(item)
            for category in self.item_categories(item):
                str(category)
            self.item_copyright(item)
            self.item_comments(item)
            for enclosure in self.item_enclosures(item):
                str(enclosure.url)
            self.item_extra_kwargs(item)

    def get_context_data(self, **kwargs):
        return {"obj": kwargs.get("item"), "site": kwargs.get("site")}

    def item_title(self, item):
        return str(item)

    def item_description(self, item):
        return str(item)

    def item_link(self, item):
        return item.get_absolute_url()

    def item_enclosures(self, item):
        return []

    def item_extra_kwargs(self, item):
        return {}
