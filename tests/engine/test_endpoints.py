"""Settings, routes and what leaves through endpoints, each told by itself."""

import textwrap

import pytest

from ormlint.ir.nodes import Module
from ormlint.link.names import Program
from ormlint.link.routes import find_routes
from ormlint.link.settings import UNKNOWN, read_settings
from ormlint.read.python import lower_python
from ormlint.run import analyse
from ormlint.run.log import Analysis, Bound, Endpoint


def lower(files: dict[str, str]) -> list[Module]:
    found = []
    for path, text in files.items():
        name = path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        found.append(lower_python(path, name, textwrap.dedent(text), path.endswith("__init__.py")))
    return found


class TestSettings:
    def read(self, **files: str) -> dict[str, object]:
        return read_settings(Program(lower({f"{name.replace('__', '/')}.py": text for name, text in files.items()})))

    def test_constants_are_read(self):
        found = self.read(shop__settings='INSTALLED_APPS = ["shop"] + ["cart"]\nPAGE = 20\nREST_FRAMEWORK = {"PAGE_SIZE": PAGE}\nlocal = 1\n')
        assert found == {"INSTALLED_APPS": ["shop", "cart"], "PAGE": 20, "REST_FRAMEWORK": {"PAGE_SIZE": 20}}

    def test_what_is_not_constant_is_set_somehow(self):
        found = self.read(shop__settings='import os\nINSTALLED_APPS = []\nREST_FRAMEWORK = {"PAGE_SIZE": int(os.environ["PAGE"])}\n')
        assert found["REST_FRAMEWORK"] == {"PAGE_SIZE": UNKNOWN}

    def test_a_base_is_followed(self):
        files = {
            "shop__settings__base": 'INSTALLED_APPS = []\nREST_FRAMEWORK = {"PAGE_SIZE": 50}\n',
            "shop__settings__production": 'from .base import *\nREST_FRAMEWORK["DEFAULT_PAGINATION_CLASS"] = "shop.Pages"\nDATABASES = {}\n',
        }
        assert self.read(**files)["REST_FRAMEWORK"] == {"PAGE_SIZE": 50, "DEFAULT_PAGINATION_CLASS": "shop.Pages"}

    def test_the_module_that_manage_names_comes_first(self):
        files = {
            "config__local": "INSTALLED_APPS = []\nPAGE = 1\n",
            "config__settings": "INSTALLED_APPS = []\nPAGE = 2\nMORE = 3\n",
            "manage": 'import os\n\ndef main():\n    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.local")\n',
        }
        found = self.read(**files)
        assert (found["PAGE"], found["MORE"]) == (1, 3)

    def test_what_depends_on_a_condition_is_not_known(self):
        found = self.read(shop__settings="INSTALLED_APPS = []\nPAGE = 10\nif INSTALLED_APPS:\n    PAGE = 20\n")
        assert found["PAGE"] is UNKNOWN

    def test_other_modules_of_that_name_are_none(self):
        assert self.read(shop__settings="PAGE = 10\n", shop__models__settings="class Settings: ...\n") == {}

    def test_settings_of_tests_do_not_count_beside_others(self):
        files = {"shop__settings__base": "DATABASES = {}\nPAGE = 1\n", "shop__settings__test": "DATABASES = {}\nONLY_HERE = 2\n"}
        assert self.read(**files) == {"DATABASES": {}, "PAGE": 1}


class TestRoutes:
    def routes(self, text: str, **files: str) -> list[tuple[str, str, tuple[str, ...]]]:
        modules = lower({"app/urls.py": text, **{f"app/{name}.py": more for name, more in files.items()}})
        return [(route.view.qualname, route.framework, route.methods) for route in find_routes(Program(modules))]

    VIEWS = "def books(request): ...\n\nclass BookList: ...\n"

    @pytest.mark.parametrize(
        ("declaration", "view"),
        [
            ('path("", views.books)', "books"),
            ('re_path(r"^$", view=views.books)', "books"),
            ('path("", login_required(views.books))', "books"),
            ('path("", cache_page(60)(views.books))', "books"),
            ('path("", views.BookList.as_view())', "BookList"),
            ('path("", csrf_exempt(views.BookList.as_view(size=5)))', "BookList"),
            ('path("api/", include([path("", views.books)]))', "books"),
        ],
    )
    def test_url_patterns(self, declaration, view):
        head = "from django.urls import include, path, re_path\nfrom app import views\nfrom other import cache_page, csrf_exempt, login_required\n"
        assert self.routes(f"{head}urlpatterns = [{declaration}]\n", views=self.VIEWS) == [(view, "django", ())]

    def test_routers(self):
        text = "from rest_framework.routers import SimpleRouter\nfrom app.views import BookList\n"
        text += 'router = SimpleRouter()\nrouter.register("books", BookList)\n'
        assert self.routes(text, views=self.VIEWS) == [("BookList", "django", ())]

    @pytest.mark.parametrize(
        ("declaration", "framework", "methods"),
        [
            ('app = fastapi.FastAPI()\n\n@app.get("/")', "fastapi", ("GET",)),
            ('app = fastapi.APIRouter()\n\n@app.api_route("/", methods=["get", "head"])', "fastapi", ("GET", "HEAD")),
            ('app = flask.Flask(__name__)\n\n@app.route("/")', "flask", ("GET",)),
            ('app = flask.Blueprint("a", __name__)\n\n@app.route("/", methods=["POST"])', "flask", ("POST",)),
            ('class App(flask.Flask): ...\n\napp = App()\n\n@app.put("/")', "flask", ("PUT",)),
        ],
    )
    def test_decorators(self, declaration, framework, methods):
        assert self.routes(f"import fastapi\nimport flask\n\n{declaration}\ndef books(): ...\n") == [("books", framework, methods)]

    def test_other_decorators_of_that_name_are_none(self):
        assert self.routes('from cache import cache\n\n@cache.get("/")\ndef books(): ...\n\n@cache.route\ndef more(): ...\n') == []


MODELS = """
    from django.db import models

    class Book(models.Model):
        title = models.CharField(max_length=80)
"""


IMPORTS = """
    import json
    from app.models import Book
    from django.core import serializers
    from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
    from django.urls import path
    from django.views import View, generic
    from rest_framework import pagination, viewsets
    from rest_framework.decorators import action
    from rest_framework.response import Response

    def answer(rows):
        return JsonResponse(list(rows), safe=False)
"""


def django(views: str, settings: str = "INSTALLED_APPS = []\n") -> Analysis:
    files = {"app/models.py": MODELS, "app/settings.py": settings, "app/views.py": textwrap.dedent(IMPORTS) + textwrap.dedent(views)}
    analysis = analyse(lower(files))
    assert analysis.problems == []
    return analysis


def unlimited(endpoints: list[Endpoint]) -> list[str]:
    return [e.name for e in endpoints if e.query is not None and e.query.bound is Bound.MANY and not e.paginated and not e.streams]


class TestDjangoViews:
    @pytest.mark.parametrize(
        "body",
        [
            "return JsonResponse({'books': list(Book.objects.values())})",
            "return HttpResponse(json.dumps([book.title for book in Book.objects.all()]))",
            "return HttpResponse(serializers.serialize('json', Book.objects.all()))",
            "titles = []\n    for book in Book.objects.all():\n        titles.append({1: book.title})\n    return answer(titles)",
            "return answer(Book.objects.all())",
        ],
    )
    def test_functions(self, body):
        assert unlimited(django(f"def books(request):\n    {body}\n").endpoints) == ["books"]

    @pytest.mark.parametrize(
        "body",
        [
            "return JsonResponse(list(Book.objects.values()[:20]), safe=False)",
            "return JsonResponse(list(Book.objects.values())[:20], safe=False)",
            "return JsonResponse({'books': Book.objects.count()})",
            "return Book.objects.all()",
            "return StreamingHttpResponse(book.title for book in Book.objects.all())",
            "rows = Book.objects.all()\n    if request.GET.get('limit'):\n        rows = rows[:20]\n    return JsonResponse(list(rows), safe=False)",
        ],
    )
    def test_functions_that_are_limited_or_no_views(self, body):
        assert unlimited(django(f"def books(request):\n    {body}\n").endpoints) == []

    @pytest.mark.parametrize(
        "body",
        [
            "model = Book",
            "queryset = Book.objects.all()",
            "model = Book\n    paginate_by = 0",
            "def get_queryset(self): return Book.objects.filter(title__gt='')",
            "model = Book\n    def get_queryset(self): return super().get_queryset().filter(title__gt='')",
        ],
    )
    def test_list_views(self, body):
        assert unlimited(django(f"class Books(generic.ListView):\n    {body}\n").endpoints) == ["Books"]

    @pytest.mark.parametrize(
        "body",
        [
            "model = Book\n    paginate_by = 50",
            "queryset = Book.objects.all()[:20]",
            "model = Book\n    def get_paginate_by(self, queryset): return self.request.GET.get('size')",
            "model = Book\n    def get_queryset(self): return super().get_queryset()[:20]",
        ],
    )
    def test_list_views_that_are_limited(self, body):
        assert unlimited(django(f"class Books(generic.ListView):\n    {body}\n").endpoints) == []

    def test_only_the_last_heir_is_a_view(self):
        assert unlimited(django("class Base(generic.ListView):\n    model = Book\n\nclass Books(Base):\n    pass\n").endpoints) == ["Books"]

    def test_keywords_of_as_view_count(self):
        text = "class Books(generic.ListView):\n    model = Book\n\nurlpatterns = [path('', Books.as_view(paginate_by=20))]\n"
        assert unlimited(django(text).endpoints) == []

    def test_what_runs_before_each_request_counts(self):
        text = """
            class Books(View):
                def setup(self, request, *args, **kwargs):
                    super().setup(request, *args, **kwargs)
                    self.books = Book.objects.all()

                def get(self, request):
                    return JsonResponse(list(self.books), safe=False)
        """
        assert unlimited(django(text).endpoints) == ["Books.get"]

    @pytest.mark.parametrize("guard", ["@staff_member_required", "@user_passes_test(lambda user: user.is_superuser)"])
    def test_views_for_administrators_are_known(self, guard):
        (endpoint,) = django(f"{guard}\ndef books(request):\n    return JsonResponse(list(Book.objects.all()), safe=False)\n").endpoints
        assert endpoint.admin_only

    def test_a_function_beside_routed_ones_is_no_view(self):
        text = (
            "def books(request):\n    return more(request)\n\ndef more(request):\n    return JsonResponse(list(Book.objects.all()), safe=False)\n\n"
        )
        assert unlimited(django(text + "urlpatterns = [path('', books)]\n").endpoints) == ["books"]

    def test_an_endpoint_is_found_once(self):
        text = "def books(request):\n    return JsonResponse(list(Book.objects.all()), safe=False)\n\n"
        text += "urlpatterns = [path('', books), path('all/', books)]\n"
        assert unlimited(django(text).endpoints) == ["books"]


PAGES = 'INSTALLED_APPS = []\nREST_FRAMEWORK = {"DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.%s", "PAGE_SIZE": %s}\n'


class TestRestFramework:
    VIEW = "class Books(viewsets.ModelViewSet):\n    queryset = Book.objects.all()\n"

    @pytest.mark.parametrize("kind", ["PageNumberPagination", "LimitOffsetPagination", "CursorPagination"])
    @pytest.mark.parametrize(("size", "expected"), [("None", ["Books"]), ("20", []), ("load_size()", [])])
    def test_pages_of_the_settings(self, kind, size, expected):
        assert unlimited(django(self.VIEW, PAGES % (kind, size)).endpoints) == expected

    @pytest.mark.parametrize(
        ("pages", "expected"),
        [
            ("class Pages(pagination.PageNumberPagination): page_size = 20", []),
            ("class Pages(pagination.PageNumberPagination): page_size_query_param = 'size'", ["Books"]),
            ("class Pages(pagination.LimitOffsetPagination): default_limit = 20", []),
            ("class Pages(pagination.LimitOffsetPagination): max_limit = 20", ["Books"]),
            ("class Pages:\n    def paginate_queryset(self, queryset, request, view=None): return queryset[:20]", []),
            ("from elsewhere import Pages", []),
            ("Pages = None", ["Books"]),
        ],
    )
    def test_pages_of_the_view(self, pages, expected):
        assert unlimited(django(f"{pages}\n\n{self.VIEW}    pagination_class = Pages\n").endpoints) == expected

    def test_a_list_that_is_overridden(self):
        text = "    def list(self, request):\n        return Response(list(self.get_queryset()))\n"
        assert unlimited(django(self.VIEW + text, PAGES % ("PageNumberPagination", 20)).endpoints) == ["Books.list"]

    def test_actions_that_answer_get(self):
        text = "    pagination_class = pagination.CursorPagination\n\n"
        for name, arguments in (("all", "detail=False"), ("remove", 'detail=False, methods=["post"]')):
            text += f"    @action({arguments})\n    def {name}(self, request):\n        return Response(list(self.get_queryset()))\n\n"
        assert unlimited(django(self.VIEW + text, PAGES % ("CursorPagination", 20)).endpoints) == ["Books.all"]


SQLALCHEMY = """
    from sqlalchemy import Integer, String, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from fastapi import APIRouter, Depends
    from fastapi.responses import JSONResponse, StreamingResponse
    from pydantic import BaseModel

    class Base(DeclarativeBase): ...

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Books(BaseModel):
        items: list

    router = APIRouter()
"""


def fastapi(function: str) -> list[str]:
    text = textwrap.dedent(SQLALCHEMY) + "\n" + textwrap.dedent(function)
    analysis = analyse(lower({"app/api.py": text}))
    assert analysis.problems == []
    return unlimited(analysis.endpoints)


class TestRoutesOfFunctions:
    @pytest.mark.parametrize(
        ("result", "expected"),
        [
            ("db.query(Book).all()", ["books"]),
            ("db.scalars(select(Book)).all()", ["books"]),
            ("Books(items=db.query(Book).all())", ["books"]),
            ("JSONResponse([book.id for book in db.query(Book)])", ["books"]),
            ("{book.id: book for book in db.query(Book)}", ["books"]),
            ("db.query(Book).limit(20).all()", []),
            ("db.query(Book).filter(Book.id == 1).all()", []),
            ("select(Book)", []),
            ("StreamingResponse(str(book.id) for book in db.query(Book))", []),
            ("len(db.query(Book).all())", []),
        ],
    )
    def test_what_a_route_returns(self, result, expected):
        assert fastapi(f'@router.get("/")\ndef books(db: Session):\n    return {result}\n') == expected

    def test_a_function_within_a_function(self):
        text = """
            def make_app():
                router = APIRouter()

                @router.get("/books")
                def books(db: Session):
                    return db.query(Book).all()

                return router
        """
        assert fastapi(text) == ["books"]

    def test_a_limit_that_depends_on_the_request(self):
        text = """
            @router.get("/books")
            def books(db: Session, limit: int = -1):
                query = db.query(Book)
                if limit < 0:
                    return query.all()
                return {"items": query.limit(limit).all()}
        """
        assert fastapi(text) == []

    def test_a_function_that_is_no_route(self):
        assert fastapi("def books(db: Session):\n    return db.query(Book).all()\n") == []


def test_a_route_may_hand_lists_to_its_view():
    files = {
        "shop/models.py": "from django.db import models\n\n\nclass Book(models.Model):\n    title = models.CharField(max_length=10)\n",
        "shop/views.py": "from django.views.generic import ListView\n\nfrom shop.models import Book\n\n\nclass Books(ListView):\n    model = Book\n",
        "shop/urls.py": (
            "from django.urls import path\n\nfrom shop.views import Books\n\n"
            'urlpatterns = [path("a/", Books.as_view(http_method_names=["get"])), path("b/", Books.as_view(http_method_names=["get", "head"]))]\n'
        ),
    }
    assert analyse(lower(files)).problems == []
