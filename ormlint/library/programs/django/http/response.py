from ormlint.intrinsics import encode, is_unset


class HttpResponseBase:
    def __init__(self, content_type=None, status=None, reason=None, charset=None, headers=None):
        self.status_code = status


class HttpResponse(HttpResponseBase):
    def __init__(self, content=b"", *args, **kwargs):
        self.content = content


class JsonResponse(HttpResponse):
    def __init__(self, data, encoder=None, safe=True, json_dumps_params=None, **kwargs):
        self.content = data if is_unset(encoder) else encode(data, cls=encoder)


class StreamingHttpResponse(HttpResponseBase):
    def __init__(self, streaming_content=(), *args, **kwargs):
        self.streaming_content = streaming_content


class FileResponse(StreamingHttpResponse):
    def __init__(self, *args, as_attachment=False, filename="", **kwargs):
        self.filename = filename
