import pytest

from ormlint.api import AggregateInDatabase, Bound, Kind, Op, Origin, Orm, ReplaceCountTest, ReplaceLen, ReplaceTruthTest, Severity, Shape, UseKind
from ormlint.rules.evaluation.aggregation_in_python import check as aggregation_in_python
from ormlint.rules.evaluation.count_for_existence import check as count_for_existence
from ormlint.rules.evaluation.len_of_query import check as len_of_query
from ormlint.rules.evaluation.truth_test_for_existence import check as truth_test_for_existence
from ormlint.run.log import Tracked
from tests.rules.builder import Source, column, event, lazy, loop, model, project, query, relate, reports, use

VIEWS = Source(
    "shop/views.py",
    """\
books = Book.objects.filter(sold=True)
n = len(books)
if books.count() > 0: pass
if not books.count(): pass
if books: pass
total = sum(book.pages for book in books)
""",
)
PROJECT = project(VIEWS)
BOOKS = VIEWS.at("Book.objects.filter(sold=True)")
LEN = use(UseKind.LEN, VIEWS.at("len(books)"))
TRUTH = use(UseKind.TRUTH, VIEWS.at("books: pass"))
ROWS_USED = [UseKind.ITERATE, UseKind.INDEX, UseKind.RETURN, UseKind.ARGUMENT, UseKind.STORE, UseKind.RENDER, UseKind.CONTAINS, UseKind.OTHER]


def books(*uses, orm=Orm.DJANGO, **facts):
    return query(model("Book", orm), BOOKS, uses=list(uses), **facts)


class TestLenOfQuery:
    def test_a_query_of_which_only_the_length_is_used_is_reported(self):
        rows = books(LEN)
        (found,) = reports(len_of_query, PROJECT, queries=[rows])
        assert found.site == LEN.site
        assert found.message == "`len()` loads every `Book` row only to count them"
        assert found.help == "call `.count()` on the query at shop/views.py:1 instead"
        assert found.intent == ReplaceLen(rows, LEN.site)
        assert found.severity is Severity.WARNING

    def test_a_select_is_counted_by_the_database(self):
        (found,) = reports(len_of_query, PROJECT, queries=[books(LEN, orm=Orm.SQLALCHEMY, style="list", cached=True, methods=("select", "all"))])
        assert found.help == "select `func.count()` instead of the rows in the query at shop/views.py:1"

    def test_the_list_of_a_legacy_query_is_counted_by_its_own_method(self):
        (found,) = reports(len_of_query, PROJECT, queries=[books(LEN, orm=Orm.SQLALCHEMY, style="list", cached=True, methods=("query", "all"))])
        assert found.help == "call `.count()` on the query at shop/views.py:1 instead"

    @pytest.mark.parametrize("kind", ROWS_USED)
    def test_rows_that_are_used_otherwise_are_silent(self, kind):
        assert not reports(len_of_query, PROJECT, queries=[books(LEN, use(kind))])

    def test_deriving_another_query_uses_no_rows(self):
        assert reports(len_of_query, PROJECT, queries=[books(LEN, use(UseKind.DERIVE))])

    def test_slices_after_the_length_are_cut_from_its_rows(self):
        assert not reports(len_of_query, PROJECT, queries=[books(LEN, use(UseKind.DERIVE, operator="[:]"))])

    def test_two_lengths_of_one_query_are_reported_without_a_replacement(self):
        (found,) = reports(len_of_query, PROJECT, queries=[books(LEN, LEN)])
        assert found.intent is None

    def test_uses_before_the_query_was_returned_count(self):
        assert not reports(len_of_query, PROJECT, queries=[books(LEN, parent=Tracked([use(UseKind.ITERATE)]))])

    def test_the_return_that_handed_the_query_over_is_no_use(self):
        assert reports(len_of_query, PROJECT, queries=[books(LEN, parent=Tracked([use(UseKind.RETURN)]))])

    def test_rows_at_hand_are_silent(self):
        assert not reports(len_of_query, PROJECT, queries=[books(LEN, cached=True)])
        author = model("Author")
        prefetched = relate(author, "books", model("Book"), Kind.REVERSE_FOREIGN_KEY)
        assert not reports(len_of_query, PROJECT, queries=[books(LEN, cached=True, style="list", relation=prefetched)])

    @pytest.mark.parametrize("facts", [{"locked": True}, {"raw": True}, {"shape": Shape.UNKNOWN}])
    def test_queries_that_no_count_replaces_are_silent(self, facts):
        assert not reports(len_of_query, PROJECT, queries=[books(LEN, **facts)])

    def test_a_slice_weighs_less(self):
        (found,) = reports(len_of_query, PROJECT, queries=[books(LEN, bound=Bound.FEW, limit=10, sliced=True)])
        assert found.severity is Severity.INFO

    def test_a_collection_per_row_is_another_rules_matter(self):
        author = model("Author")
        relate(author, "books", model("Book"), Kind.REVERSE_FOREIGN_KEY)
        rows = books(LEN, style="related", relation=author.relations["books"])
        evaluated = lazy(query(author), "books", LEN.site, loop(BOOKS), query=rows)
        assert not reports(len_of_query, PROJECT, [evaluated], [rows])
        evaluated.loops = ()
        assert reports(len_of_query, PROJECT, [evaluated], [rows])

    def test_a_query_per_round_is_another_rules_matter(self):
        rows = books(LEN)
        round = loop(VIEWS.at("books"))
        loaded = event(Op.LOAD_ROWS, LEN.site, round, query=rows, depends=frozenset({round.id}))
        assert not reports(len_of_query, PROJECT, [loaded], [rows])
        loaded.depends = frozenset()
        assert reports(len_of_query, PROJECT, [loaded], [rows])


def counted(*uses, orm=Orm.DJANGO, **facts):
    return event(Op.COUNT, VIEWS.at("books.count()"), query=books(orm=orm, **facts), orm=orm, uses=list(uses))


def compared(operator, constant, reflected=False):
    return use(UseKind.COMPARE, VIEWS.at("books.count() > 0"), operator, constant, reflected=reflected)


class TestCountForExistence:
    @pytest.mark.parametrize(
        ("operator", "constant", "negated"), [(">", 0, False), ("!=", 0, False), (">=", 1, False), ("==", 0, True), ("<", 1, True), ("<=", 0, True)]
    )
    def test_comparisons_that_tell_none_from_some_are_reported(self, operator, constant, negated):
        number = counted(compared(operator, constant))
        (found,) = reports(count_for_existence, PROJECT, [number])
        assert found.message == "counting every `Book` only tells whether there is one"
        assert found.help == "call `.exists()` instead of `.count()` at shop/views.py:3"
        assert found.intent == ReplaceCountTest(number.query, number.site, VIEWS.at("books.count() > 0"), negated)

    @pytest.mark.parametrize(
        ("operator", "constant", "negated"), [("<", 0, False), ("!=", 0, False), ("<=", 1, False), ("==", 0, True), (">", 1, True)]
    )
    def test_the_constant_may_stand_on_the_left(self, operator, constant, negated):
        (found,) = reports(count_for_existence, PROJECT, [counted(compared(operator, constant, reflected=True))])
        assert found.intent.negated is negated

    def test_a_truth_test_is_reported(self):
        site = VIEWS.at("books.count()")
        (found,) = reports(count_for_existence, PROJECT, [counted(use(UseKind.TRUTH, site))])
        assert found.intent == ReplaceCountTest(found.intent.query, site, site, negated=False)

    def test_a_not_outside_the_test_stays(self):
        (found,) = reports(count_for_existence, PROJECT, [counted(use(UseKind.TRUTH, VIEWS.at("books.count()"), negated=True))])
        assert found.intent.negated is False

    @pytest.mark.parametrize(
        ("operator", "constant", "reflected"),
        [
            ("==", 1, False),
            (">", 1, False),
            ("<", 10, False),
            (">", 0, True),
            (">=", 0, False),
            ("<", 0, False),
            (">", "0", False),
            ("==", False, False),
        ],
    )
    def test_comparisons_that_need_the_number_are_silent(self, operator, constant, reflected):
        assert not reports(count_for_existence, PROJECT, [counted(compared(operator, constant, reflected))])

    @pytest.mark.parametrize("kind", [UseKind.OTHER, UseKind.RETURN, UseKind.ARGUMENT, UseKind.STORE, UseKind.RENDER])
    def test_a_number_that_is_used_otherwise_is_silent(self, kind):
        assert not reports(count_for_existence, PROJECT, [counted(compared(">", 0), use(kind))])

    def test_a_number_that_is_not_used_is_silent(self):
        assert not reports(count_for_existence, PROJECT, [counted()])

    def test_two_tests_of_one_number_are_one_report(self):
        assert len(list(reports(count_for_existence, PROJECT, [counted(compared(">", 0), compared("==", 0))]))) == 1

    @pytest.mark.parametrize("facts", [{"cached": True}, {"locked": True}, {"raw": True}])
    def test_counts_that_cost_nothing_or_are_meant_are_silent(self, facts):
        assert not reports(count_for_existence, PROJECT, [counted(compared(">", 0), **facts)])

    def test_sqlalchemy_names_its_own_exists(self):
        (found,) = reports(count_for_existence, PROJECT, [counted(compared(">", 0), orm=Orm.SQLALCHEMY, style="query")])
        assert "`session.query(query.exists()).scalar()`" in found.help

    def test_the_exists_of_a_statement_that_counts_is_not_advised(self):
        (found,) = reports(count_for_existence, PROJECT, [counted(compared(">", 0), orm=Orm.SQLALCHEMY, style="select")])
        assert "`session.scalar(select(Book).where(…).exists().select())`" in found.help

    def test_a_limited_sqlalchemy_query_is_not_rewritten(self):
        (found,) = reports(count_for_existence, PROJECT, [counted(compared(">", 0), orm=Orm.SQLALCHEMY, style="query", sliced=True)])
        assert found.intent is None


class TestTruthTestForExistence:
    def test_a_query_that_is_only_tested_is_reported(self):
        rows = books(TRUTH)
        (found,) = reports(truth_test_for_existence, PROJECT, queries=[rows])
        assert found.site == TRUTH.site
        assert found.message == "this truth test loads every `Book` row to learn whether there is one"
        assert found.help == "call `.exists()` on the query at shop/views.py:1 instead"
        assert found.intent == ReplaceTruthTest(rows, TRUTH.site)

    def test_the_list_of_a_sqlalchemy_query_is_reported(self):
        (found,) = reports(truth_test_for_existence, PROJECT, queries=[books(TRUTH, orm=Orm.SQLALCHEMY, style="list", cached=True)])
        assert found.help == "ask the database with `exists()` instead of loading the query at shop/views.py:1"
        assert found.intent is None

    @pytest.mark.parametrize("kind", [*ROWS_USED, UseKind.LEN])
    def test_rows_that_are_used_afterwards_are_silent(self, kind):
        assert not reports(truth_test_for_existence, PROJECT, queries=[books(TRUTH, use(kind))])

    @pytest.mark.parametrize(
        "facts",
        [{"style": "manager"}, {"style": "related"}, {"style": "query", "orm": Orm.SQLALCHEMY}, {"style": "select", "orm": Orm.SQLALCHEMY}],
    )
    def test_objects_that_are_always_true_are_silent(self, facts):
        assert not reports(truth_test_for_existence, PROJECT, queries=[books(TRUTH, **facts)])

    @pytest.mark.parametrize("facts", [{"cached": True}, {"locked": True}, {"raw": True}, {"bound": Bound.ONE}, {"shape": Shape.UNKNOWN}])
    def test_other_silences(self, facts):
        assert not reports(truth_test_for_existence, PROJECT, queries=[books(TRUTH, **facts)])

    def test_two_tests_are_reported_without_a_replacement(self):
        (found,) = reports(truth_test_for_existence, PROJECT, queries=[books(TRUTH, TRUTH)])
        assert found.intent is None


def consumed(function="sum", *more, type="IntegerField", named="pages", **facts):
    consumption = use(UseKind.AGGREGATE, VIEWS.at("sum(book.pages for book in books)"), function)
    rows = books(consumption, *more, **facts)
    column(rows.model, "pages", type)
    return event(Op.LOAD_ROWS, consumption.site, query=rows, use=UseKind.AGGREGATE, column=named, orm=rows.orm)


class TestAggregationInPython:
    def test_a_sum_over_a_column_is_reported(self):
        loaded = consumed()
        (found,) = reports(aggregation_in_python, PROJECT, [loaded])
        assert found.message == "`sum()` of `pages` loads every `Book` row for one number"
        assert found.help == 'call `.aggregate(Sum("pages", default=0))` on the query at shop/views.py:1 instead'
        assert found.intent == AggregateInDatabase(loaded.query, loaded.site, "sum", loaded.query.model.columns["pages"])
        assert found.severity is Severity.WARNING

    def test_a_collection_that_a_caller_may_have_prefetched_is_silent(self):
        pages = relate(model("Author"), "books", model("Book"), Kind.REVERSE_FOREIGN_KEY)
        assert not reports(aggregation_in_python, PROJECT, [consumed(relation=pages)])
        assert reports(aggregation_in_python, PROJECT, [consumed(relation=pages, owner=Origin(query(model("Author"))))])

    def test_a_maximum_has_no_default(self):
        (found,) = reports(aggregation_in_python, PROJECT, [consumed("max")])
        assert '`.aggregate(Max("pages"))`' in found.help

    def test_sqlalchemy_uses_its_functions(self):
        (found,) = reports(aggregation_in_python, PROJECT, [consumed("sum", orm=Orm.SQLALCHEMY, style="list", cached=True)])
        assert found.help == "select `func.sum(Book.pages)` instead of the rows in the query at shop/views.py:1"

    def test_the_length_of_all_rows_needs_no_column(self):
        (found,) = reports(aggregation_in_python, PROJECT, [consumed("len", named="")])
        assert found.help == "call `.count()` on the query at shop/views.py:1 instead"
        assert found.intent is None

    def test_a_sum_of_inexact_numbers_weighs_less(self):
        (found,) = reports(aggregation_in_python, PROJECT, [consumed(type="DecimalField")])
        assert found.severity is Severity.INFO
        assert found.notes == ("the database may round this sum differently",)

    def test_the_largest_inexact_number_is_the_same_anywhere(self):
        (found,) = reports(aggregation_in_python, PROJECT, [consumed("max", type="DecimalField")])
        assert found.severity is Severity.WARNING

    @pytest.mark.parametrize("kind", [*ROWS_USED, UseKind.TRUTH])
    def test_rows_that_are_used_otherwise_are_silent(self, kind):
        assert not reports(aggregation_in_python, PROJECT, [consumed("sum", use(kind))])

    def test_the_number_of_rows_can_be_had_with_their_sum(self):
        (found,) = reports(aggregation_in_python, PROJECT, [consumed("sum", LEN)])
        assert found.message.startswith("`sum()`")
        assert found.intent is None

    def test_a_property_is_not_known_to_the_database(self):
        assert not reports(aggregation_in_python, PROJECT, [consumed(named="price_with_tax")])

    def test_a_function_without_a_counterpart_is_silent(self):
        assert not reports(aggregation_in_python, PROJECT, [consumed("median")])

    def test_rows_at_hand_are_silent(self):
        assert not reports(aggregation_in_python, PROJECT, [consumed(cached=True)])

    def test_locked_rows_are_silent(self):
        assert not reports(aggregation_in_python, PROJECT, [consumed(locked=True)])

    def test_a_query_per_round_is_another_rules_matter(self):
        loaded = consumed()
        round = loop(VIEWS.at("books"))
        loaded.loops, loaded.depends = (round,), frozenset({round.id})
        assert not reports(aggregation_in_python, PROJECT, [loaded])


class TestCollectionsThatSomePrefetch:
    def collection(self, *uses, **facts):
        author = model("Author")
        relation = relate(author, "books", model("Book"), Kind.REVERSE_FOREIGN_KEY)
        column(relation.target, "pages")
        return query(
            relation.target, BOOKS, uses=list(uses), style="related", methods=("all",), relation=relation, owner=Origin(query(author)), **facts
        )

    @pytest.mark.parametrize(("rule", "used"), [(len_of_query, LEN), (truth_test_for_existence, TRUTH)])
    def test_they_are_left_alone(self, rule, used):
        rows = self.collection(used)
        assert reports(rule, PROJECT, queries=[rows])
        assert not reports(rule, PROJECT, queries=[rows, self.collection(used, cached=True)])

    def test_so_are_counts(self):
        rows = self.collection()
        counted = event(Op.COUNT, VIEWS.at("books.count()"), query=rows, uses=[use(UseKind.TRUTH, VIEWS.at("books.count()"))])
        assert reports(count_for_existence, PROJECT, [counted], [rows])
        assert not reports(count_for_existence, PROJECT, [counted], [rows, self.collection(cached=True)])

    def test_and_sums(self):
        rows = self.collection(use(UseKind.AGGREGATE, VIEWS.at("sum(book.pages for book in books)"), "sum"))
        loaded = event(Op.LOAD_ROWS, BOOKS, query=rows, column="pages")
        assert reports(aggregation_in_python, PROJECT, [loaded], [rows])
        assert not reports(aggregation_in_python, PROJECT, [loaded], [rows, self.collection(cached=True)])
