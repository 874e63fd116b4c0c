class Response:
    def __init__(self, content=None, status_code=200, headers=None, media_type=None, background=None):
        self.body = content


class HTMLResponse(Response):
    pass


class PlainTextResponse(Response):
    pass


class JSONResponse(Response):
    pass


class StreamingResponse(Response):
    def __init__(self, content, status_code=200, headers=None, media_type=None, background=None):
        self.body_iterator = content


class FileResponse(Response):
    pass
