class Prefetch:
    def __init__(self, lookup, queryset=None, to_attr=None):
        self.lookup = lookup
        self.queryset = queryset
        self.to_attr = to_attr
