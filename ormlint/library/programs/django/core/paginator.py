class Page:
    def __init__(self, object_list, number, paginator):
        self.object_list = object_list
        self.number = number
        self.paginator = paginator

    def __iter__(self):
        return iter(self.object_list)

    def has_other_pages(self):
        return self.paginator.num_pages > 1


class Paginator:
    def __init__(self, object_list, per_page, orphans=0, allow_empty_first_page=True):
        self.object_list = object_list
        self.per_page = per_page

    def __iter__(self):
        for page_number in self.page_range:
            yield self.page(page_number)

    @property
    def page_range(self):
        return range(1, self.num_pages, 1)

    def page(self, number):
        return self._get_page(self.object_list[0 : self.per_page], number, self)

    def get_page(self, number):
        return self.page(number)

    def _get_page(self, *args, **kwargs):
        return Page(*args, **kwargs)
