def model_query(model, session, args=None, **kwargs):
    query = session.query(model) if not args else session.query(*args)
    if "deleted" in kwargs:
        query = query.filter(model.deleted == kwargs["deleted"])
    if "project_id" in kwargs:
        query = query.filter(model.project_id == kwargs["project_id"])
    return query


def paginate_query(query, model, limit, sort_keys, marker=None, sort_dir=None, sort_dirs=None):
    query = query.order_by(*sort_keys)
    if marker is not None:
        query = query.filter(marker)
    if limit is not None:
        query = query.limit(limit)
    return query
