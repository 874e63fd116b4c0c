from ormlint.intrinsics import rows_of, show_cells


class BoundRows:
    def __init__(self, data, table, pinned_data=None):
        self.data = data
        self.table = table

    def __iter__(self):
        return iter([BoundRow(record, self.table) for record in rows_of(self.data.data)])


class BoundRow:
    def __init__(self, record, table):
        self._record = record
        self._table = table

    @property
    def record(self):
        return self._record

    @property
    def table(self):
        return self._table

    def items(self):
        return show_cells(self._table, self._record)

    def __iter__(self):
        return iter(show_cells(self._table, self._record))
