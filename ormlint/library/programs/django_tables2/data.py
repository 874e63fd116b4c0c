class TableData:
    def __init__(self, data):
        self.data = data

    def __iter__(self):
        return iter(list(self.data))
