from ormlint.intrinsics import is_unset


class RequestConfig:
    def __init__(self, request, paginate=True):
        self.paginate = paginate

    def configure(self, table):
        if not is_unset(self.paginate):
            table.paginate()
        return table
