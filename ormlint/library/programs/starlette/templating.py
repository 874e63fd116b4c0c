from starlette.responses import HTMLResponse

from ormlint.intrinsics import show


class Jinja2Templates:
    def TemplateResponse(self, *args, **kwargs):  # noqa: N802
        return HTMLResponse(show([args, kwargs.get("name")], [args, kwargs.get("context")]))
