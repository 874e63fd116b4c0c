from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse


class ORJSONResponse(JSONResponse):
    pass


class UJSONResponse(JSONResponse):
    pass
