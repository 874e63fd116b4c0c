import pytest

from ormlint.api import AnnotateFigure, Bound, Circumstances, EagerLoad, Kind, Op, Orm, Severity, UseKind
from ormlint.rules.n_plus_one.per_row_aggregate import check as per_row_aggregate
from ormlint.rules.n_plus_one.related_collection_in_loop import check as rule
from tests.rules.builder import Source, lazy, loop, model, project, query, relate, reports, use

VIEWS = Source(
    "shop/views.py",
    """\
authors = Author.objects.filter(living=True)
for author in authors:
    for book in author.books.all():
        for review in book.reviews.all():
            print(review.text)
    print(author.books.count())
    print(author.books.filter(sold=True))
""",
)
PROJECT = project(VIEWS)


class Shop:
    def __init__(self, orm=Orm.DJANGO, **facts):
        self.author, self.book, self.review = (model(name, orm) for name in ("Author", "Book", "Review"))
        relate(self.author, "books", self.book, Kind.REVERSE_FOREIGN_KEY, **facts)
        relate(self.book, "reviews", self.review, Kind.REVERSE_FOREIGN_KEY)
        relate(self.book, "author", self.author)
        self.authors = query(self.author, VIEWS.at("Author.objects.filter(living=True)"))
        self.loop = loop(VIEWS.at("for author in authors:"), VIEWS.after("for author in authors:"), source=self.authors)

    def books(self, *methods, **facts):
        return query(self.book, style="related", methods=methods, relation=self.author.relations["books"], **facts)


def test_a_collection_evaluated_per_row_is_reported():
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop, text="author.books.all()", query=shop.books("all"))
    (found,) = reports(rule, PROJECT, [access])
    assert found.site == VIEWS.at("author.books.all()")
    assert found.message == "evaluating `author.books.all()` runs one query per `Author`"
    assert found.help == 'add `.prefetch_related("books")` to the query at shop/views.py:1'
    assert found.relations == ("books",)
    assert found.intent == EagerLoad(shop.authors, (shop.author.relations["books"],), shop.authors.site)
    assert found.severity is Severity.WARNING


def test_sqlalchemy_loads_collections_with_a_second_select():
    shop = Shop(Orm.SQLALCHEMY)
    (found,) = reports(rule, PROJECT, [lazy(shop.authors, "books", VIEWS.at("author.books"), shop.loop, text="author.books")])
    assert found.message == "loading `author.books` runs one query per `Author`"
    assert found.help == "add `.options(selectinload(Author.books))` to the query at shop/views.py:1"


def test_a_collection_of_a_collection_is_a_cause_of_its_own():
    shop = Shop()
    outer = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop, text="author.books.all()")
    inner = lazy(shop.authors, "books__reviews", VIEWS.at("book.reviews.all()"), shop.loop, text="book.reviews.all()")
    found = {report.relations: report for report in reports(rule, PROJECT, [outer, inner])}
    assert set(found) == {("books",), ("books__reviews", "reviews")}
    assert found["books__reviews", "reviews"].message == "evaluating `book.reviews.all()` runs one query per `Book`"
    assert '`.prefetch_related("books__reviews")`' in found["books__reviews", "reviews"].help


def test_the_number_of_related_rows_is_annotated():
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.count()"), shop.loop, op=Op.COUNT, text="author.books", method="count")
    (found,) = reports(per_row_aggregate, PROJECT, [access])
    assert not reports(rule, PROJECT, [access])
    assert found.message == "`count()` of `author.books` runs one query per `Author`"
    assert found.help == 'compute it for all rows with `.annotate(…=Count("books"))` on the query at shop/views.py:1'
    assert isinstance(found.intent, AnnotateFigure)
    assert (found.intent.method, found.intent.relation.name) == ("count", "books")


@pytest.mark.parametrize("methods", [("filter",), ("filter", "order_by"), ("exclude", "exists"), ("select_related",)])
def test_a_new_query_on_the_collection_needs_a_prefetch_of_its_own(methods):
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.filter(sold=True)"), shop.loop, query=shop.books(*methods))
    (found,) = reports(rule, PROJECT, [access])
    assert 'Prefetch("books", queryset=…, to_attr="…")' in found.help
    assert found.intent is None


@pytest.mark.parametrize(
    ("methods", "instead"),
    [
        (("all", "order_by"), "sort `.all()` in Python in the place of `.order_by(…)`"),
        (("values_list",), "read `.all()` instead of `.values_list(…)`"),
    ],
)
def test_what_only_sorts_or_picks_columns_can_do_so_with_prefetched_rows(methods, instead):
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.filter(sold=True)"), shop.loop, query=shop.books(*methods))
    (found,) = reports(rule, PROJECT, [access])
    assert f"and {instead}" in found.help
    assert found.intent is None


def test_the_first_of_an_ordered_collection_is_served_by_a_prefetch():
    shop = Shop(ordered=True)
    access = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop, op=Op.GET_ROW, method="first", query=shop.books())
    (found,) = reports(rule, PROJECT, [access])
    assert found.intent is not None


def test_the_first_of_an_unordered_collection_is_not_served_by_a_prefetch():
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop, op=Op.GET_ROW, method="first", query=shop.books())
    (found,) = reports(rule, PROJECT, [access])
    assert found.intent is None


def test_a_dynamic_collection_cannot_be_loaded_eagerly():
    shop = Shop(Orm.SQLALCHEMY, lazy="dynamic")
    (found,) = reports(rule, PROJECT, [lazy(shop.authors, "books", VIEWS.at("author.books"), shop.loop)])
    assert found.intent is None
    assert found.help == "fetch the rows of `Book` for all rows of the query at shop/views.py:1 with one `in_()` and group them by key"


def test_a_prefetch_that_is_bypassed_is_another_matter():
    shop = Shop()
    assert not reports(rule, PROJECT, [lazy(shop.authors, "books", VIEWS.at("author.books.filter(sold=True)"), shop.loop, bypasses=True)])


def test_a_collection_that_some_ways_load_is_told_where_all_ways_read_it():
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop, certain=False)
    assert reports(rule, PROJECT, [access])
    access.around = Circumstances(conditional=True)
    assert not reports(rule, PROJECT, [access])


def test_the_collection_of_one_row_is_silent():
    shop = Shop()
    assert not reports(rule, PROJECT, [lazy(shop.authors, "books", VIEWS.at("author.books.all()"))])


def test_a_loop_over_three_rows_is_silent():
    shop = Shop()
    three = loop(VIEWS.at("for author in authors:"), bound=Bound.FEW, limit=3, source=shop.authors)
    assert not reports(rule, PROJECT, [lazy(shop.authors, "books", VIEWS.at("author.books.all()"), three)])


def test_a_row_of_unknown_origin_is_silent():
    shop = Shop()
    access = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop)
    access.row = None
    assert not reports(rule, PROJECT, [access])


def test_a_related_object_is_another_rules_matter():
    shop = Shop()
    books = query(shop.book, VIEWS.at("authors"))
    assert not reports(rule, PROJECT, [lazy(books, "author", VIEWS.at("author.books"), shop.loop, op=Op.GET_ROW)])


def test_a_search_that_stops_at_an_answer_is_silent():
    shop = Shop()
    search = loop(VIEWS.at("for author in authors:"), VIEWS.after("for author in authors:"), source=shop.authors, searches=True)
    asked = lazy(shop.authors, "books", VIEWS.at("author.books.count()"), search, op=Op.COUNT, method="count")
    assert reports(per_row_aggregate, PROJECT, [asked])
    asked.uses.append(use(UseKind.TRUTH, VIEWS.at("author.books.count()")))
    assert not reports(per_row_aggregate, PROJECT, [asked])


def test_a_count_beside_the_rows_of_the_collection_is_part_of_one_finding():
    shop = Shop()
    counted = lazy(shop.authors, "books", VIEWS.at("author.books.count()"), shop.loop, op=Op.COUNT, method="count")
    walked = lazy(shop.authors, "books", VIEWS.at("author.books.all()"), shop.loop, method="all")
    assert len(reports(rule, PROJECT, [counted, walked])) == 1
    assert not reports(per_row_aggregate, PROJECT, [counted, walked])


def test_a_count_is_annotated_by_the_name_that_lookups_use():
    shop = Shop()
    shop.author.relations["books"].query_name = "book"
    counted = lazy(shop.authors, "books", VIEWS.at("author.books.count()"), shop.loop, op=Op.COUNT, method="count")
    (found,) = reports(per_row_aggregate, PROJECT, [counted])
    assert '`.annotate(…=Count("book"))`' in found.help
