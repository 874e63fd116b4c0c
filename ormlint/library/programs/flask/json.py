from flask.wrappers import Response


def jsonify(*args, **kwargs):
    return Response([args, kwargs])
