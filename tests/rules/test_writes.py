import pytest

from ormlint.api import Bound, Circumstances, Kind, LoadKind, MoveAfterLoop, Op, Origin, Orm, Severity, Use, UseKind, WriteTogether
from ormlint.rules.writes.commit_in_loop import check as commit_in_loop
from ormlint.rules.writes.create_in_loop import check as create_in_loop
from ormlint.rules.writes.delete_in_loop import check as delete_in_loop
from ormlint.rules.writes.save_in_loop import check as save_in_loop
from ormlint.run.log import Loaded, LoadPlan
from tests.rules.builder import NOWHERE, Source, event, loop, model, project, query, relate, reports

JOB = Source(
    "shop/job.py",
    """\
books = Book.objects.filter(sold=True)
for book in books:
    book.price = 0
    book.save()
    book.delete()
    Book.objects.create(title=book.title)
    session.commit()
    store(book)
""",
)
PROJECT = project(JOB)
CHAIN = Source("shop/chain.py", "one(book)\ntwo(book)\nthree(book)\nsave_all()\nbook.save()\n")
CHAIN_PROJECT = project(JOB, CHAIN)
NOT_REPEATED = [
    {"bound": Bound.ONE},
    {"bound": Bound.FEW, "limit": 3},
    {"first_only": True},
    {"batches": True},
    {"polls": True},
]


class Job:
    def __init__(self, orm=Orm.DJANGO, **facts):
        self.book = model("Book", orm)
        self.books = query(self.book, JOB.at("Book.objects.filter(sold=True)"))
        self.loop = loop(JOB.at("for book in books:"), JOB.after("for book in books:"), **{"source": self.books, "variable": "book", **facts})

    def write(self, op, code, **facts):
        facts = {"model": self.book, "orm": self.book.orm, "row": Origin(self.books), "text": code, **facts}
        return event(op, JOB.at(code), self.loop, **facts)

    def save(self, **facts):
        return self.write(Op.SAVE, "book.save()", **{"assigned": ("price",), **facts})

    def behind(self, calls, **facts):
        """A save that so many calls lead to."""
        way = [JOB.at("store(book)"), *(CHAIN.at(name) for name in ("one(book)", "two(book)", "three(book)"))][:calls]
        saved = self.save(calls=tuple(way), callees=("store", "one", "two", "three")[:calls], **facts)
        saved.site = CHAIN.at("book.save()")
        return saved

    def create(self, *, kept=False, **facts):
        code = "Book.objects.create(title=book.title)"
        created = self.write(Op.CREATE, code, **{"row": None, "method": "create", **facts})
        created.uses = [] if kept else [Use(UseKind.DISCARD, JOB.at(code))]
        return created

    def delete(self, **facts):
        return self.write(Op.DELETE, "book.delete()", **facts)

    def commit(self, **facts):
        return self.write(Op.COMMIT, "session.commit()", **{"row": None, "model": None, **facts})


class TestSaveInLoop:
    def test_rows_saved_one_by_one_are_reported(self):
        (found,) = reports(save_in_loop, PROJECT, [Job().save(assigned=("price", "stock"))])
        assert found.site == JOB.at("book.save()")
        assert found.message == "`book.save()` runs one UPDATE per `Book`"
        assert found.help == 'collect the rows and call `Book.objects.bulk_update(rows, ["price", "stock"])` after the loop at shop/job.py:2'
        assert found.severity is Severity.WARNING
        assert isinstance(found.intent, WriteTogether)
        assert (found.intent.site, found.intent.fields, found.intent.plain) == (found.site, ("price", "stock"), False)

    def test_a_place_that_saves_rows_of_several_models_is_one_cause_and_needs_preview(self):
        job = Job()
        first, second = reports(save_in_loop, PROJECT, [job.save(), job.save(model=model("Page"))])
        assert first.cause == second.cause
        assert (first.preview, first.intent) == (True, None)

    def test_constants_need_no_rows(self):
        (found,) = reports(save_in_loop, PROJECT, [Job().save(assigned=("price",), constant=True)])
        assert found.help == "call `.update(price=…)` once on the query at shop/job.py:1 instead"

    def test_an_overridden_save_computes_more_than_the_constant(self):
        job = Job()
        job.book.overrides = frozenset({"save"})
        (found,) = reports(save_in_loop, PROJECT, [job.save(assigned=("price",), constant=True)])
        assert "`Book.objects.bulk_update(" in found.help

    def test_constants_for_some_of_the_rows_need_the_rows(self):
        (found,) = reports(save_in_loop, PROJECT, [Job().save(assigned=("price",), constant=True, around=Circumstances(conditional=True))])
        assert "`Book.objects.bulk_update(" in found.help

    def test_a_slice_cannot_be_updated(self):
        job = Job()
        job.books.sliced = True
        (found,) = reports(save_in_loop, PROJECT, [job.save(assigned=("price",), constant=True)])
        assert "`Book.objects.bulk_update(" in found.help

    def test_a_save_in_a_called_function_is_reported_at_the_call(self):
        inner = Source("shop/store.py", "def store(book):\n    book.save()\n")
        saved = Job().save(calls=(JOB.at("store(book)"),), callees=("store",))
        saved.site = inner.at("book.save()")
        (found,) = reports(save_in_loop, project(JOB, inner), [saved])
        assert found.site == JOB.at("store(book)")

    def test_an_overridden_save_stands_in_the_way(self):
        job = Job()
        job.book.overrides = frozenset({"save"})
        (found,) = reports(save_in_loop, PROJECT, [job.save()])
        assert (found.severity, found.preview) == (Severity.INFO, True)
        assert found.notes == ("`Book` overrides `save()`, which a bulk operation would not call",)

    def test_signal_receivers_stand_in_the_way(self):
        job = Job()
        job.book.has_receivers = True
        (found,) = reports(save_in_loop, PROJECT, [job.save()])
        assert (found.severity, found.preview) == (Severity.INFO, True)
        assert found.notes == ("signal receivers of `Book` stand in the way of a bulk operation",)

    @pytest.mark.parametrize("around", [Circumstances(isolated=True), Circumstances(error_path=True)])
    def test_rows_that_may_fail_one_by_one_need_preview(self, around):
        (found,) = reports(save_in_loop, PROJECT, [Job().save(around=around)])
        assert (found.severity, found.preview) == (Severity.INFO, True)

    def test_a_row_that_fills_a_cache_is_silent(self):
        assert not reports(save_in_loop, PROJECT, [Job().save(around=Circumstances(guarded_by_cache=True))])

    @pytest.mark.parametrize("calls", [1, 2, 3])
    def test_a_write_behind_a_call_needs_preview(self, calls):
        (found,) = reports(save_in_loop, CHAIN_PROJECT, [Job().behind(calls)])
        assert (found.severity, found.preview) == (Severity.INFO, True)

    def test_fields_that_are_not_known_need_preview(self):
        (found,) = reports(save_in_loop, PROJECT, [Job().save(assigned=())])
        assert found.preview

    def test_a_row_of_another_query_needs_preview(self):
        job = Job()
        other = query(job.book, CHAIN.at("one(book)"))
        (found,) = reports(save_in_loop, CHAIN_PROJECT, [job.save(row=Origin(other))])
        assert found.preview
        (found,) = reports(save_in_loop, CHAIN_PROJECT, [job.save(row=Origin(job.books, ("cover",)))])
        assert found.preview

    def test_rows_that_are_fetched_piece_by_piece_need_preview(self):
        job = Job()
        job.books.methods = ("iterator",)
        (found,) = reports(save_in_loop, PROJECT, [job.save()])
        assert found.preview
        (found,) = reports(save_in_loop, PROJECT, [job.save(constant=True)])
        assert not found.preview

    def test_rows_of_several_classes_need_preview(self):
        job = Job()
        job.book.polymorphic = True
        (found,) = reports(save_in_loop, PROJECT, [job.save()])
        assert found.preview

    def test_a_write_far_away_is_silent(self):
        assert not reports(save_in_loop, CHAIN_PROJECT, [Job().behind(4)])

    def test_calls_around_the_loop_do_not_count(self):
        job = Job()
        outer = loop(NOWHERE)
        saved = job.save(calls=(NOWHERE, NOWHERE), callees=("work", "save_all"))
        saved.loops = (outer, job.loop)
        (found,) = reports(save_in_loop, CHAIN_PROJECT, [saved])
        assert not found.preview

    def test_the_models_own_save_is_no_call(self):
        saved = Job().behind(1)
        saved.callees = ("Book.save",)
        (found,) = reports(save_in_loop, CHAIN_PROJECT, [saved])
        assert not found.preview

    def test_writes_behind_one_call_have_one_cause(self):
        job = Job()
        near, far = job.behind(1, model=model("Shelf")), job.behind(2)
        first, second = reports(save_in_loop, CHAIN_PROJECT, [far, near])
        assert (first.cause, first.counted_as) == (second.cause, "write")

    def test_a_row_created_in_the_same_round_needs_preview(self):
        job = Job()
        (found,) = reports(save_in_loop, PROJECT, [job.create(), job.save(row=None)])
        assert found.notes == ("the same round creates the `Book`",)
        assert found.preview

    @pytest.mark.parametrize("facts", NOT_REPEATED)
    def test_loops_that_do_not_repeat_are_silent(self, facts):
        assert not reports(save_in_loop, PROJECT, [Job(**facts).save()])

    def test_a_single_save_is_silent(self):
        saved = Job().save()
        saved.loops = ()
        assert not reports(save_in_loop, PROJECT, [saved])

    def test_what_the_loop_walks_may_be_unknown(self):
        (found,) = reports(save_in_loop, PROJECT, [Job(source=None).save(row=None)])
        assert found.message == "`book.save()` runs one UPDATE per `book`"


class TestCreateInLoop:
    def test_rows_inserted_one_by_one_are_reported(self):
        (found,) = reports(create_in_loop, PROJECT, [Job(source=None, variable="line").create(text="Book.objects.create(…)")])
        assert found.message == "`Book.objects.create(…)` runs one INSERT per `line`"
        assert found.help == "collect the objects and call `Book.objects.bulk_create(objects)` after the loop at shop/job.py:2"
        assert found.severity is Severity.WARNING

    def test_sqlalchemy_takes_a_list_of_values(self):
        job = Job(Orm.SQLALCHEMY)
        insert = job.create()
        insert.op = Op.INSERT
        (found,) = reports(create_in_loop, PROJECT, [insert])
        assert found.help == "collect the values and run `session.execute(insert(Book), values)` after the loop at shop/job.py:2"

    def test_adding_to_the_session_is_no_statement(self):
        added = Job(Orm.SQLALCHEMY).create()
        added.op = Op.ADD
        assert not reports(create_in_loop, PROJECT, [added])

    def test_getting_or_creating_is_another_matter(self):
        created = Job().create()
        created.op = Op.GET_OR_CREATE
        assert not reports(create_in_loop, PROJECT, [created])

    def test_rows_in_several_tables_cannot_be_created_together(self):
        job = Job()
        job.book.bases = (model("Product"),)
        assert not reports(create_in_loop, PROJECT, [job.create()])

    def test_abstract_bases_and_proxies_have_one_table(self):
        job = Job()
        job.book.bases = (model("Product", abstract=True),)
        assert reports(create_in_loop, PROJECT, [job.create()])
        job.book.bases, job.book.proxy = (model("Product"),), True
        assert reports(create_in_loop, PROJECT, [job.create()])

    def test_a_row_that_is_wanted_back_needs_preview(self):
        (found,) = reports(create_in_loop, PROJECT, [Job().create(kept=True)])
        assert found.preview

    def test_an_object_that_is_saved_again_and_again_needs_preview(self):
        job = Job()
        (found,) = reports(create_in_loop, PROJECT, [job.create(method="save")])
        assert found.preview
        (found,) = reports(create_in_loop, PROJECT, [job.create(method="save", row_loops=(job.loop,))])
        assert not found.preview

    def test_a_parent_whose_key_the_round_needs_needs_preview(self):
        job = Job()
        page = model("Page")
        relate(page, "book", job.book)
        first, second = job.create(), job.create(model=page)
        second.site = JOB.at("store(book)")
        parent, child = reports(create_in_loop, PROJECT, [first, second])
        assert (parent.severity, parent.preview) == (Severity.INFO, True)
        assert parent.notes == ("its key is needed in the same round to create `Page`",)
        assert (child.severity, child.preview) == (Severity.WARNING, False)

    def test_a_row_that_is_linked_in_its_round_needs_preview(self):
        job = Job()
        (found,) = reports(create_in_loop, PROJECT, [job.create(), job.write(Op.LINK, "store(book)")])
        assert found.preview
        shelf = model("Shelf")
        link = job.write(Op.LINK, "store(book)", model=shelf, relation=relate(shelf, "books", job.book, Kind.MANY_TO_MANY))
        (found,) = reports(create_in_loop, PROJECT, [job.create(), link])
        assert found.preview

    @pytest.mark.parametrize(("assigned", "preview"), [(("cover",), True), (("title",), False)])
    def test_a_row_that_another_one_is_saved_with_needs_preview(self, assigned, preview):
        job = Job()
        shelf = model("Shelf")
        relate(shelf, "cover", job.book)
        (found,) = reports(create_in_loop, PROJECT, [job.create(), job.write(Op.SAVE, "store(book)", model=shelf, assigned=assigned)])
        assert found.preview is preview

    def test_an_overridden_save_stands_in_the_way(self):
        job = Job()
        job.book.overrides = frozenset({"save"})
        (found,) = reports(create_in_loop, PROJECT, [job.create()])
        assert found.severity is Severity.INFO

    @pytest.mark.parametrize("facts", NOT_REPEATED)
    def test_loops_that_do_not_repeat_are_silent(self, facts):
        assert not reports(create_in_loop, PROJECT, [Job(**facts).create()])


class TestDeleteInLoop:
    def test_rows_deleted_one_by_one_are_reported(self):
        (found,) = reports(delete_in_loop, PROJECT, [Job().delete()])
        assert found.message == "`book.delete()` runs one DELETE per `Book`"
        assert found.help == "call `.delete()` once on the query at shop/job.py:1 instead"
        assert found.severity is Severity.WARNING

    @pytest.mark.parametrize("facts", [{"sliced": True}, {"combined": True}, {"distinct": True}])
    def test_queries_that_cannot_delete_give_their_keys(self, facts):
        job = Job()
        for name, value in facts.items():
            setattr(job.books, name, value)
        (found,) = reports(delete_in_loop, PROJECT, [job.delete()])
        assert found.help == "collect the keys and call `Book.objects.filter(pk__in=keys).delete()` after the loop at shop/job.py:2"

    def test_some_of_the_rows_are_deleted_by_key(self):
        (found,) = reports(delete_in_loop, PROJECT, [Job().delete(around=Circumstances(conditional=True))])
        assert found.preview
        assert "filter(pk__in=keys)" in found.help

    def test_an_overridden_delete_stands_in_the_way(self):
        job = Job()
        job.book.overrides = frozenset({"delete"})
        (found,) = reports(delete_in_loop, PROJECT, [job.delete()])
        assert found.severity is Severity.INFO
        assert found.notes == ("`Book` overrides `delete()`, which a bulk operation would not call",)

    def test_sqlalchemy_loads_the_collections_of_every_row(self):
        job = Job(Orm.SQLALCHEMY)
        relate(job.book, "pages", model("Page"), Kind.REVERSE_FOREIGN_KEY)
        relate(job.book, "tags", model("Tag"), Kind.MANY_TO_MANY)
        (found,) = reports(delete_in_loop, PROJECT, [job.delete()])
        assert found.message == "`book.delete()` loads `pages` and `tags` per `Book`"
        options = "selectinload(Book.pages), selectinload(Book.tags)"
        assert found.help == f"load them along with the rows: add `.options({options})` to the query at shop/job.py:1"

    def test_what_cannot_be_loaded_along_is_deleted_first(self):
        job = Job(Orm.SQLALCHEMY)
        relate(job.book, "pages", model("Page"), Kind.REVERSE_FOREIGN_KEY).lazy = "dynamic"
        (found,) = reports(delete_in_loop, PROJECT, [job.delete()])
        rows = "delete the rows of `pages` and then those of `Book` by their keys, with one statement each"
        assert found.help == f"{rows}, after the loop at shop/job.py:2"

    def test_sqlalchemy_leaves_relations_alone_that_the_database_clears(self):
        job = Job(Orm.SQLALCHEMY)
        relate(job.book, "pages", model("Page"), Kind.REVERSE_FOREIGN_KEY).loaded_on_delete = False
        assert not reports(delete_in_loop, PROJECT, [job.delete()])

    def test_sqlalchemy_deletes_rows_without_collections_together(self):
        job = Job(Orm.SQLALCHEMY)
        relate(job.book, "author", model("Author"))
        assert not reports(delete_in_loop, PROJECT, [job.delete()])

    def test_sqlalchemy_loads_nothing_that_is_loaded(self):
        job = Job(Orm.SQLALCHEMY)
        relate(job.book, "pages", model("Page"), Kind.REVERSE_FOREIGN_KEY)
        job.books.plan = LoadPlan({"pages": Loaded(LoadKind.SEPARATE, LoadPlan())})
        assert not reports(delete_in_loop, PROJECT, [job.delete()])

    @pytest.mark.parametrize("facts", NOT_REPEATED)
    def test_loops_that_do_not_repeat_are_silent(self, facts):
        assert not reports(delete_in_loop, PROJECT, [Job(**facts).delete()])


class TestCommitInLoop:
    def test_a_commit_per_row_is_reported(self):
        job = Job(Orm.SQLALCHEMY)
        committed = job.commit()
        (found,) = reports(commit_in_loop, PROJECT, [committed])
        assert found.message == "`session.commit()` ends one transaction per `Book`"
        assert found.help == "move the commit behind the loop at shop/job.py:2"
        assert found.intent == MoveAfterLoop(committed.site, job.loop)
        assert found.severity is Severity.WARNING

    def test_a_commit_in_a_called_function_is_not_moved(self):
        inner = Source("shop/store.py", "def store(book):\n    session.commit()\n")
        committed = Job(Orm.SQLALCHEMY).commit(calls=(JOB.at("store(book)"),), callees=("store",))
        committed.site = inner.at("session.commit()")
        (found,) = reports(commit_in_loop, project(JOB, inner), [committed])
        assert found.site == JOB.at("store(book)")
        assert found.preview
        assert found.intent is None

    def test_a_method_of_the_row_that_commits_is_reported(self):
        inner = Source("shop/store.py", "def save(self):\n    session.commit()\n")
        committed = Job(Orm.SQLALCHEMY).commit(calls=(JOB.at("book.save()"),), callees=("Stored.save",))
        committed.site = inner.at("session.commit()")
        (found,) = reports(commit_in_loop, project(JOB, inner), [committed])
        assert not found.preview
        assert found.help == "write the rows without `Stored.save`, which commits, and commit once behind the loop at shop/job.py:2"

    @pytest.mark.parametrize("around", [Circumstances(conditional=True), Circumstances(error_path=True)])
    def test_commits_of_some_rounds_are_silent(self, around):
        assert not reports(commit_in_loop, PROJECT, [Job(Orm.SQLALCHEMY).commit(around=around)])

    def test_rows_that_may_fail_one_by_one_weigh_less(self):
        (found,) = reports(commit_in_loop, PROJECT, [Job(Orm.SQLALCHEMY).commit(around=Circumstances(isolated=True))])
        assert found.severity is Severity.INFO
        assert found.intent is None
        assert found.notes == ("one commit for all would also lose the rows that went well before an error",)

    @pytest.mark.parametrize("facts", NOT_REPEATED)
    def test_loops_over_batches_and_messages_are_silent(self, facts):
        assert not reports(commit_in_loop, PROJECT, [Job(Orm.SQLALCHEMY, **facts).commit()])

    def test_django_commits_are_another_matter(self):
        assert not reports(commit_in_loop, PROJECT, [Job().commit()])
