class Pagination:
    def __iter__(self):
        return iter(self.items)
