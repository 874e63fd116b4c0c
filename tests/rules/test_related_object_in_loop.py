import pytest

from ormlint.api import Bound, Circumstances, EagerLoad, Kind, Mark, Op, Orm, Severity, Site
from ormlint.rules.n_plus_one.related_object_in_loop import check as rule
from tests.rules.builder import Source, event, lazy, loop, model, project, query, relate, reports

VIEWS = Source(
    "shop/views.py",
    """\
from shop.models import Book

books = Book.objects.filter(sold=True)
for book in books:
    print(book.author.name)
    print(book.author.country.name)
    print(book.editor)
    print(book.byline)
for author in authors:
    for book in author.books.all():
        print(book.editor.name)
""",
)
MODELS = Source("shop/people.py", "def byline(self):\n    return self.author.name\n")
PROJECT = project(VIEWS, MODELS)


class Shop:
    def __init__(self, orm=Orm.DJANGO):
        self.country, self.author, self.book = (model(name, orm) for name in ("Country", "Author", "Book"))
        relate(self.book, "author", self.author)
        relate(self.book, "editor", self.author)
        relate(self.author, "country", self.country)
        relate(self.author, "profile", model("Profile", orm), Kind.REVERSE_ONE_TO_ONE)
        relate(self.author, "books", self.book, Kind.REVERSE_FOREIGN_KEY)
        self.books = query(self.book, VIEWS.at("Book.objects.filter(sold=True)"))
        self.loop = loop(VIEWS.at("for book in books:"), VIEWS.after("for book in books:"), source=self.books)


def test_a_relation_read_per_row_is_reported_at_the_access():
    shop = Shop()
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, text="book.author")])
    assert found.site == VIEWS.at("book.author")
    assert found.message == "loading `book.author` runs one query per `Book`"
    assert found.help == 'add `.select_related("author")` to the query at shop/views.py:3'
    assert found.relations == ("author",)
    assert found.intent == EagerLoad(shop.books, (shop.book.relations["author"],), shop.books.site)
    assert found.severity is Severity.WARNING
    assert [label.mark for label in found.labels] == [Mark.QUERY, Mark.LOOP, Mark.ACCESS]


def test_a_chain_is_one_finding_at_its_first_hop_with_the_whole_path():
    shop = Shop()
    first = lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, text="book.author")
    second = lazy(shop.books, "author__country", VIEWS.at("book.author.country"), shop.loop, text="book.author.country")
    (found,) = reports(rule, PROJECT, [first, second])
    assert found.message == "loading `book.author` runs one query per `Book`"
    assert found.relations == ("author__country",)
    assert '`.select_related("author__country")`' in found.help
    assert found.intent.path == (shop.book.relations["author"], shop.author.relations["country"])


def test_a_chain_begins_at_the_first_hop_that_is_not_loaded():
    shop = Shop()
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author__country", VIEWS.at("book.author.country"), shop.loop, text="book.author.country")])
    assert found.message == "loading `book.author.country` runs one query per `Book`"
    assert found.relations == ("author__country",)


def test_two_branches_of_a_chain_are_two_findings_and_cover_each_hop_once():
    shop = Shop()
    relate(shop.author, "publisher", model("Publisher"))
    paths = ("author", "author__country", "author__publisher")
    events = [lazy(shop.books, path, VIEWS.at("book.author"), shop.loop) for path in paths]
    found = reports(rule, PROJECT, events)
    assert [report.relations for report in found] == [("author__country",), ("author__publisher",)]
    assert found[0].cause != found[1].cause


def test_two_accesses_to_one_relation_have_one_cause():
    shop = Shop()
    sites = VIEWS.at("book.author.name"), VIEWS.at("book.author.country")
    found = reports(rule, PROJECT, [lazy(shop.books, "author", site, shop.loop) for site in sites])
    assert len(found) == 2
    assert found[0].cause == found[1].cause


def test_the_same_access_on_two_ways_is_reported_once():
    shop = Shop()
    events = [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop) for _ in range(2)]
    assert len(reports(rule, PROJECT, events)) == 1


def test_an_access_in_a_method_is_reported_at_the_call_in_the_loop():
    shop = Shop()
    access = lazy(
        shop.books, "author", MODELS.at("self.author"), shop.loop, text="self.author", calls=(VIEWS.at("book.byline"),), callees=("Book.byline",)
    )
    (found,) = reports(rule, PROJECT, [access])
    assert found.site == VIEWS.at("book.byline")
    assert found.notes == ("call path: `Book.byline` at shop/views.py:8",)
    assert [label.mark for label in found.labels] == [Mark.QUERY, Mark.LOOP, Mark.CALL, Mark.ACCESS]
    assert found.labels[-1].site == MODELS.at("self.author")


def test_places_inside_a_framework_are_not_shown():
    shop = Shop()
    inside = Site("ormlint/library/django.py", 5, 9)
    access = lazy(shop.books, "author", inside, loop(inside, source=shop.books), text="value")
    (found,) = reports(rule, PROJECT, [access])
    assert found.site == shop.books.site
    assert [label.mark for label in found.labels] == [Mark.QUERY]


def test_sqlalchemy_asks_once_per_distinct_target():
    shop = Shop(Orm.SQLALCHEMY)
    first = lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, text="book.author")
    second = lazy(shop.books, "author__country", VIEWS.at("book.author.country"), shop.loop)
    (found,) = reports(rule, PROJECT, [first, second])
    assert found.message == "loading `book.author` runs one query per distinct `Author`"
    assert found.help == "add `.options(joinedload(Book.author).joinedload(Author.country))` to the query at shop/views.py:3"


def test_sqlalchemy_asks_for_a_reverse_one_to_one_of_every_row():
    shop = Shop(Orm.SQLALCHEMY)
    authors = query(shop.author, VIEWS.at("authors"))
    (found,) = reports(rule, PROJECT, [lazy(authors, "profile", VIEWS.at("book.author"), shop.loop, text="author.profile")])
    assert found.message == "loading `author.profile` runs one query per `Author`"


def test_rows_behind_a_collection_are_counted_per_row_of_the_collection():
    shop = Shop()
    authors = query(shop.author, VIEWS.at("authors"))
    (found,) = reports(rule, PROJECT, [lazy(authors, "books__editor", VIEWS.at("book.editor.name"), shop.loop, text="book.editor")])
    assert found.message == "loading `book.editor` runs one query per `Book`"
    assert '`.prefetch_related("books__editor")`' in found.help


def test_a_generic_foreign_key_is_prefetched():
    shop = Shop()
    relate(shop.book, "subject", None, Kind.GENERIC_FOREIGN_KEY)
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "subject", VIEWS.at("book.editor"), shop.loop)])
    assert '`.prefetch_related("subject")`' in found.help


def test_rows_of_raw_sql_cannot_be_joined():
    shop = Shop()
    shop.books.raw = True
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)])
    assert '`.prefetch_related("author")`' in found.help


def test_a_combined_query_is_cured_where_its_parts_are_built():
    shop = Shop()
    shop.books.combined = True
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)])
    assert found.intent is None
    assert found.help == 'add `.select_related("author")` to every query that is combined at shop/views.py:3'


def test_a_list_of_rows_is_completed_in_one_go():
    shop = Shop()
    shop.books.style = "list"
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)])
    assert found.intent is None
    assert '`prefetch_related_objects(rows, "author")`' in found.help


def test_a_row_of_unknown_origin_is_silent():
    shop = Shop()
    access = lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)
    access.row = None
    assert not reports(rule, PROJECT, [access])


def test_a_query_that_something_unknown_may_have_changed_is_silent():
    shop = Shop()
    shop.books.complete = False
    assert not reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)])


def test_a_relation_that_some_ways_load_is_told_where_all_ways_read_it():
    shop = Shop()
    access = lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, certain=False)
    assert reports(rule, PROJECT, [access])
    access.around = Circumstances(conditional=True)
    assert not reports(rule, PROJECT, [access])


def test_a_single_row_is_silent():
    shop = Shop()
    assert not reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"))])


def test_loops_that_do_not_repeat_are_silent():
    shop = Shop()
    for facts in ({"first_only": True}, {"batches": True}, {"polls": True}, {"bound": Bound.ONE}, {"bound": Bound.FEW, "limit": 3}):
        once = loop(VIEWS.at("for book in books:"), source=shop.books, **facts)
        assert not reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), once)]), facts


def test_few_rows_weigh_less():
    shop = Shop()
    few = loop(VIEWS.at("for book in books:"), bound=Bound.FEW, limit=10, source=shop.books)
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), few)])
    assert found.severity is Severity.INFO


def test_few_times_few_is_enough():
    shop = Shop()
    few = [loop(VIEWS.at("for book in books:"), bound=Bound.FEW, limit=2) for _ in range(2)]
    assert reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), *few)])


def test_a_page_weighs_as_much_as_a_table():
    shop = Shop()
    page = loop(VIEWS.at("for book in books:"), bound=Bound.PAGE, source=shop.books)
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), page)])
    assert found.severity is Severity.WARNING


def test_a_small_table_weighs_less():
    shop = Shop()
    small = project(VIEWS, small_models=frozenset({"Book"}))
    (found,) = reports(rule, small, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)])
    assert found.severity is Severity.INFO


def test_an_access_on_an_error_path_is_silent():
    shop = Shop()
    rare = Circumstances(error_path=True)
    assert not reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, around=rare)])


def test_an_access_on_an_error_path_is_not_shown_beside_a_plain_one():
    shop = Shop()
    rare = lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, around=Circumstances(error_path=True))
    plain = lazy(shop.books, "author", VIEWS.at("book.author.country"), shop.loop)
    (found,) = reports(rule, PROJECT, [rare, plain])
    assert found.site == VIEWS.at("book.author.country")
    assert found.severity is Severity.WARNING


def test_a_management_command_weighs_less():
    shop = Shop()
    command = Source("shop/management/commands/report.py", "for book in books: book.author")
    access = lazy(shop.books, "author", command.at("book.author"), loop(command.at("for book in books"), source=shop.books))
    (found,) = reports(rule, project(VIEWS, command), [access])
    assert found.severity is Severity.INFO


def test_long_code_is_shortened():
    shop = Shop()
    text = "self.get_the_book_of_this_line_with_everything(line,\n   number).author"
    (found,) = reports(rule, PROJECT, [lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop, text=text)])
    assert len(found.message) <= 90
    assert "…" in found.message


def test_other_operations_are_not_meant():
    shop = Shop()
    assert not reports(rule, PROJECT, [event(Op.LAZY_COLUMN, VIEWS.at("book.author"), shop.loop)])


class TwoQueries(Shop):
    """Rows of two queries meet at one access of one loop."""

    def __init__(self, **facts):
        super().__init__()
        self.other = query(self.book, VIEWS.at("from shop.models import Book"), **facts)

    def access(self, rows, path="author", **facts):
        return lazy(rows, path, VIEWS.at("book.author"), self.loop, text="book.author", **facts)


def test_an_access_to_rows_of_two_queries_is_one_finding_at_the_nearer_query():
    shop = TwoQueries()
    (found,) = reports(rule, PROJECT, [shop.access(shop.other), shop.access(shop.books)])
    assert found.help == 'add `.select_related("author")` to the query at shop/views.py:3'
    assert found.notes == ("rows come from shop/views.py:1 too",)


@pytest.mark.parametrize("facts", [{"bound": Bound.ONE}, {"methods": ("none",)}, {"combined": True}])
def test_a_query_speaks_that_gives_many_rows_and_can_load_more(facts):
    shop = TwoQueries()
    for name, value in facts.items():
        setattr(shop.books, name, value)
    (found,) = reports(rule, PROJECT, [shop.access(shop.books), shop.access(shop.other)])
    assert found.help.endswith("shop/views.py:1")


def test_an_access_that_only_one_query_feeds_stays_with_it():
    shop = TwoQueries()
    alone = lazy(shop.other, "author", VIEWS.at("book.byline"), shop.loop)
    first, second = reports(rule, PROJECT, [shop.access(shop.other), shop.access(shop.books), alone])
    assert {(found.site, found.notes) for found in (first, second)} == {
        (VIEWS.at("book.author"), ("rows come from shop/views.py:1 too",)),
        (VIEWS.at("book.byline"), ()),
    }


def test_the_query_of_the_parents_speaks_for_that_of_their_children():
    shop = Shop()
    authors = query(shop.author, VIEWS.at("authors"))
    inner = query(shop.book, VIEWS.at("author.books.all()"), style="related", relation=shop.author.relations["books"])
    around = loop(VIEWS.at("for book in author.books.all():"), VIEWS.after("for book in author.books.all():"), source=inner)
    rivals = [lazy(inner, "editor", VIEWS.at("book.editor.name"), around), lazy(authors, "books__editor", VIEWS.at("book.editor.name"), around)]
    (found,) = reports(rule, PROJECT, rivals)
    assert found.relations == ("books__editor", "editor")
    authors.bound = Bound.ONE
    (found,) = reports(rule, PROJECT, rivals)
    assert found.relations == ("editor",)


def test_rows_that_only_a_test_fetches_do_not_speak():
    shop = TwoQueries()
    judged = project(VIEWS, MODELS, excludes=lambda site: "a test" if site == shop.books.site else "")
    (found,) = reports(rule, judged, [shop.access(shop.books), shop.access(shop.other)])
    assert found.help.endswith("shop/views.py:1")


def test_rows_locked_in_search_of_a_free_one_are_silent():
    shop = Shop()
    shop.books.locked = True
    access = lazy(shop.books, "author", VIEWS.at("book.author"), shop.loop)
    assert reports(rule, PROJECT, [access])
    access.loops = (loop(VIEWS.at("for book in books:"), searches=True),)
    assert not reports(rule, PROJECT, [access])
