import pytest

from ormlint.api import Bound, Circumstances, Kind, Op, Orm, Severity, UseKind
from ormlint.rules.n_plus_one.query_in_loop import check as rule
from tests.rules.builder import Source, event, loop, model, project, query, relate, reports, use

IMPORTER = Source(
    "shop/importer.py",
    """\
for row in rows:
    author = Author.objects.get(name=row["author"])
    find(row)
while Author.objects.filter(slug=slug).exists():
    slug = next_slug(slug)
""",
)
FINDER = Source("shop/find.py", "def find(row):\n    return session.get(Author, row.key)\n")
PROJECT = project(IMPORTER, FINDER)
GET = IMPORTER.at('Author.objects.get(name=row["author"])')
LINES = query(model("Line"), IMPORTER.at("rows"))


class Import:
    def __init__(self, orm=Orm.DJANGO, **facts):
        self.author = model("Author", orm)
        self.loop = loop(IMPORTER.at("for row in rows:"), IMPORTER.after("for row in rows:"), variable="row", **facts)

    def query(self, op=Op.GET_ROW, site=GET, filters=("name",), methods=(), **facts):
        asked = query(self.author, site, filters=frozenset(filters), methods=methods)
        facts = {"orm": self.author.orm, "depends": frozenset({self.loop.id}), "text": "Author.objects.get(…)", **facts}
        return event(op, site, self.loop, query=asked, model=self.author, **facts)


def test_a_query_with_the_loop_variable_is_reported():
    job = Import()
    (found,) = reports(rule, PROJECT, [job.query()])
    assert found.site == GET
    assert found.message == "evaluating `Author.objects.get(…)` runs one query per `row`"
    assert found.help == (
        "fetch the rows before the loop at shop/importer.py:1 with one `Author.objects.filter(name__in=…)` and look them up in a dict"
    )
    assert found.severity is Severity.WARNING
    assert found.intent is None


def test_rows_fetched_by_key_come_in_bulk():
    (found,) = reports(rule, PROJECT, [Import().query(filters=["pk"])])
    assert "`Author.objects.in_bulk(…)`" in found.help


@pytest.mark.parametrize("filters", [["name__iexact"], ["born__year__gt"], ["name", "country"]])
def test_no_lookup_is_named_that_may_be_wrong(filters):
    (found,) = reports(rule, PROJECT, [Import().query(filters=filters)])
    assert "`Author.objects.filter(…)`" in found.help


def test_sqlalchemy_selects_with_in():
    (found,) = reports(rule, PROJECT, [Import(Orm.SQLALCHEMY).query()])
    assert "`select(Author).where(Author.name.in_(…))`" in found.help


def test_existing_values_are_kept_in_a_set():
    (found,) = reports(rule, PROJECT, [Import().query(Op.EXISTS)])
    assert found.help.endswith("look them up in a set")


def test_counts_are_grouped():
    (found,) = reports(rule, PROJECT, [Import().query(Op.COUNT)])
    assert found.help == "compute the figures of `Author` for all keys before the loop at shop/importer.py:1 with one grouped query"


def test_a_query_in_a_called_function_is_reported_at_the_call():
    job = Import(Orm.SQLALCHEMY)
    site = FINDER.at("session.get(Author, row.key)")
    (found,) = reports(rule, PROJECT, [job.query(site=site, calls=(IMPORTER.at("find(row)"),), callees=("find",))])
    assert found.site == IMPORTER.at("find(row)")
    assert found.notes == ("call path: `find` at shop/importer.py:3",)


def behind(job, calls, **facts):
    way = [IMPORTER.at("find(row)"), *(FINDER.at(name) for name in ("def find", "session.get", "Author", "row.key"))][:calls]
    return job.query(site=FINDER.at("return"), calls=tuple(way), callees=("find", "a", "b", "c", "d")[:calls], **facts)


@pytest.mark.parametrize(
    ("kind", "calls", "preview"), [("for", 0, False), ("for", 1, True), ("for", 4, True), ("serializer", 1, False), ("serializer", 2, True)]
)
def test_queries_far_away_need_preview(kind, calls, preview):
    (found,) = reports(rule, PROJECT, [behind(Import(source=LINES, kind=kind), calls)])
    assert found.preview is preview


def test_a_list_of_who_knows_how_many_needs_preview():
    (of_rows,), (of_others,) = (reports(rule, PROJECT, [Import(source=source).query()]) for source in (LINES, None))
    assert (of_rows.preview, of_others.preview) == (False, True)


def test_queries_behind_more_than_four_calls_are_silent():
    assert not reports(rule, PROJECT, [behind(Import(), 5)])


def test_what_one_call_leads_to_has_one_cause_and_the_nearest_comes_first():
    job = Import(source=LINES, kind="serializer")
    near, far = behind(job, 1, op=Op.COUNT), behind(job, 3)
    first, second = reports(rule, PROJECT, [far, near])
    assert (first.cause, first.counted_as) == (second.cause, "query")
    assert (first.preview, second.preview) == (False, True)


def test_the_loop_may_decide_through_the_query():
    job = Import()
    asked = job.query(depends=frozenset())
    asked.query.parameters = frozenset({job.loop.id})
    assert reports(rule, PROJECT, [asked])


def test_a_query_that_every_round_repeats_unchanged_is_another_matter():
    assert not reports(rule, PROJECT, [Import().query(depends=frozenset())])


def test_three_rounds_are_silent():
    assert not reports(rule, PROJECT, [Import(bound=Bound.FEW, limit=3).query()])


def test_some_rounds_weigh_less():
    (found,) = reports(rule, PROJECT, [Import(bound=Bound.FEW, limit=8).query()])
    assert found.severity is Severity.INFO


@pytest.mark.parametrize("marks", [{"batches": True}, {"polls": True}, {"first_only": True}])
def test_loops_that_are_meant_to_ask_are_silent(marks):
    assert not reports(rule, PROJECT, [Import(**marks).query()])


def test_a_batch_within_a_loop_is_silent():
    job = Import()
    chunks = loop(IMPORTER.at("find(row)"), batches=True)
    asked = job.query(depends=frozenset({job.loop.id, chunks.id}))
    asked.loops = (job.loop, chunks)
    assert not reports(rule, PROJECT, [asked])


@pytest.mark.parametrize("around", [Circumstances(error_path=True), Circumstances(guarded_by_cache=True)])
def test_rare_queries_are_silent(around):
    assert not reports(rule, PROJECT, [Import().query(around=around)])


def test_row_locks_are_taken_one_by_one():
    asked = Import().query()
    asked.query.locked = True
    assert not reports(rule, PROJECT, [asked])


def test_a_search_that_stops_at_an_answer_is_silent():
    asked = Import(searches=True).query(Op.EXISTS)
    asked.uses.append(use(UseKind.TRUTH, GET))
    assert not reports(rule, PROJECT, [asked])


def test_a_search_whose_query_feeds_no_test_is_reported():
    assert reports(rule, PROJECT, [Import(searches=True).query()])


def test_a_while_loop_that_asks_until_a_value_is_free_is_silent():
    head = IMPORTER.at("while Author.objects.filter(slug=slug).exists():")
    search = loop(head, kind="while")
    asked = Import().query(Op.EXISTS, IMPORTER.at("Author.objects.filter(slug=slug).exists()"), depends=frozenset({search.id}))
    asked.loops = (search,)
    assert not reports(rule, PROJECT, [asked])


def test_a_query_through_a_relation_is_another_rules_matter():
    job = Import()
    books = relate(job.author, "books", model("Book"), Kind.REVERSE_FOREIGN_KEY)
    assert not reports(rule, PROJECT, [job.query(relation=books)])
    asked = job.query()
    asked.query.relation = books
    assert not reports(rule, PROJECT, [asked])


def test_writes_are_other_rules_matter():
    assert not reports(rule, PROJECT, [Import().query(Op.GET_OR_CREATE), Import().query(Op.CREATE)])
