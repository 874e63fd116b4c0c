from ormlint.intrinsics import show
from starlette.responses import HTMLResponse


class Jinja2Templates:
    def TemplateResponse(self, *args, **kwargs):  # noqa: N802
        return HTMLResponse([show(None, args), show(None, kwargs.get("context"))])
