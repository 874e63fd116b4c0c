import pytest

from ormlint.api import Bound, Kind, Mark, Orm, Severity, Shape
from ormlint.rules.unbounded.unbounded_list_endpoint import check as rule
from tests.rules.builder import Source, endpoint, model, project, query, relate, reports

API = Source("shop/api.py", "class BookList(ListAPIView):\n    queryset = Book.objects.all()\n    def list(self): return Response(data)\n")
CLASS = API.at("BookList")


def found_for(framework="drf", facts=None, settings=None, small=(), orm=Orm.DJANGO, **view):
    rows = query(model("Book", orm), API.at("Book.objects.all()"), **(facts or {}))
    relate(rows.model, "author", model("Author", orm))
    page = endpoint("BookList", CLASS, rows, framework, **view)
    return reports(rule, project(API, endpoints=[page], settings=settings or {}, small_models=frozenset(small)))


def test_an_endpoint_without_a_limit_is_reported():
    (found,) = found_for()
    assert found.site == CLASS
    assert found.message == "`BookList` returns every `Book` row"
    assert found.help == "set `pagination_class` on `BookList` at shop/api.py:1"
    assert found.severity is Severity.WARNING
    assert found.intent is None
    assert [label.mark for label in found.labels] == [Mark.QUERY]


def test_a_django_view_is_told_about_its_paginator():
    (found,) = found_for("django")
    assert found.help == "set `paginate_by`, or cut a page from the query at shop/api.py:2 with `Paginator`"


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_a_route_is_told_about_limits(framework):
    (found,) = found_for(framework, orm=Orm.SQLALCHEMY)
    assert found.help == "take a page with `.limit(…)` and `.offset(…)` on the query at shop/api.py:2"


def test_the_place_where_the_rows_leave_is_shown():
    (found,) = found_for(rendered_at=API.at("Response(data)"))
    assert [label.mark for label in found.labels] == [Mark.QUERY, Mark.ACCESS]


def test_dictionaries_are_rows_too():
    assert found_for(facts={"shape": Shape.TUPLES})


@pytest.mark.parametrize("view", [{"paginated": True}, {"streams": True}, {"methods": ("HEAD",)}])
def test_endpoints_that_are_limited_or_meant_are_silent(view):
    assert not found_for(**view)


def test_a_list_for_staff_needs_the_preview():
    (found,) = found_for(admin_only=True)
    assert found.preview
    assert found.severity is Severity.INFO


def test_a_list_beside_other_methods_is_reported():
    assert found_for(methods=("GET", "HEAD"))


@pytest.mark.parametrize("facts", [{"bound": Bound.PAGE}, {"bound": Bound.FEW}, {"bound": Bound.ONE}, {"shape": Shape.UNKNOWN}, {"complete": False}])
def test_queries_that_are_limited_or_unknown_are_silent(facts):
    assert not found_for(facts=facts)


def test_a_small_table_is_silent():
    assert not found_for(small=["Book"])


def test_an_endpoint_without_rows_is_silent():
    assert not reports(rule, project(API, endpoints=[endpoint("Status", CLASS, None)]))


@pytest.mark.parametrize("lookup", ["author", "author_id", "author__pk"])
def test_the_rows_of_one_parent_weigh_less(lookup):
    (found,) = found_for(facts={"filters": frozenset({lookup})})
    assert found.severity is Severity.INFO
    assert found.notes == ("limited only by the number of rows per `author`",)


@pytest.mark.parametrize("lookup", ["author__isnull", "author__in", "title"])
def test_other_filters_limit_nothing(lookup):
    (found,) = found_for(facts={"filters": frozenset({lookup})})
    assert found.severity is Severity.WARNING


def test_the_collection_of_one_row_weighs_less():
    author = model("Author")
    books = relate(author, "books", model("Book"), Kind.REVERSE_FOREIGN_KEY)
    (found,) = found_for(facts={"relation": books})
    assert found.notes == ("limited only by the number of rows per `Author`",)


def test_a_pagination_class_without_a_size_is_named():
    (found,) = found_for(settings={"REST_FRAMEWORK": {"DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination"}})
    assert found.notes == ("`DEFAULT_PAGINATION_CLASS` has no effect without `PAGE_SIZE` in `REST_FRAMEWORK`",)
    (found,) = found_for(settings={"REST_FRAMEWORK": {"DEFAULT_PAGINATION_CLASS": "shop.Pages", "PAGE_SIZE": 50}}, paginated=False)
    assert found.notes == ()


@pytest.mark.parametrize("methods", [("values", "annotate"), ("query", "group_by"), ("dates",)])
def test_groups_of_rows_are_silent(methods):
    assert not found_for(facts={"methods": methods, "shape": Shape.TUPLES})


def test_an_annotation_of_rows_limits_nothing():
    assert found_for(facts={"methods": ("annotate", "values"), "shape": Shape.TUPLES})


@pytest.mark.parametrize("lookup", ["id__in", "pk__in"])
def test_rows_that_are_named_one_by_one_are_silent(lookup):
    assert not found_for(facts={"filters": frozenset({lookup})})


@pytest.mark.parametrize("lookups", [{"day__range"}, {"day__gte", "day__lt"}, {"day__year"}])
def test_a_span_of_time_weighs_less(lookups):
    (found,) = found_for(facts={"filters": frozenset(lookups)})
    assert (found.severity, found.notes) == (Severity.INFO, ("limited only by the span of `day` that is asked for",))


def test_half_a_span_limits_nothing():
    (found,) = found_for(facts={"filters": frozenset({"day__gte", "night__lt"})})
    assert found.severity is Severity.WARNING


def test_filtered_rows_are_called_so():
    (found,) = found_for(facts={"filters": frozenset({"title"})})
    assert found.message == "`BookList` returns every matching `Book` row"


def test_the_row_of_a_joined_model_weighs_less():
    (found,) = found_for("flask", facts={"filters": frozenset({"Loan.reader_id"})}, orm=Orm.SQLALCHEMY)
    assert found.notes == ("limited only by the number of rows per `reader`",)


def test_the_page_of_one_row_may_show_what_belongs_to_it():
    assert not found_for("django", facts={"filters": frozenset({"author"})}, shown_by_template=True)
    assert found_for("django", shown_by_template=True)


def test_one_endpoint_with_several_lists_is_one_finding():
    books, shops = (
        query(model("Book"), API.at("Book.objects.all()"), filters=frozenset({"author_id"})),
        query(model("Shop"), API.at("Response(data)")),
    )
    relate(books.model, "author", model("Author"))
    (found,) = reports(rule, project(API, endpoints=[endpoint("BookList", CLASS, rows) for rows in (books, shops)]))
    assert (found.message, found.notes) == ("`BookList` returns every `Shop` row", ("the same holds for every `Book` row",))
