from ormlint.intrinsics import inside_greenlet, is_known


class _Items:
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def paginate(conn, query=None, params=None, *, transformer=None, **options):
    if is_known(query):
        session = inside_greenlet(conn)
        items = session.execute(query.limit(params).offset(params)).unique().scalars().all()
    else:
        items = conn.limit(params).offset(params).all()
    if transformer is not None:
        items = transformer(items)
    return _Items(items)


def apaginate(conn, query, params=None, *, transformer=None, **options):
    return paginate(conn, query, params, transformer=transformer)
