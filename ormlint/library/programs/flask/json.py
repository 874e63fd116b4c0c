from flask.wrappers import Response
from ormlint.intrinsics import encode


def jsonify(*args, **kwargs):
    encode(args)
    encode(kwargs)
    return Response([args, kwargs])


def dumps(obj, cls=None, default=None, **kwargs):
    return encode(obj, cls=cls, default=default)
