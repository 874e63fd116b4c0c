from ormlint.link.schema import Kind, Model, Orm, Relation
from ormlint.run.log import Bound, Circumstances, Event, Loop, Op, QueryLog, QueryObject
from ormlint.text import Site
from tests.cases.agreement import disagreements, growth
from tests.cases.dump import dump_log, dump_schema, multiplicity

HERE = Site("shop/report.py", 0, 1)
AUTHOR = Model("Author", "shop.Author", Orm.DJANGO, HERE)
BOOK = Model("Book", "shop.Book", Orm.DJANGO, HERE)
BOOKS = Relation("books", AUTHOR, BOOK, Kind.REVERSE_FOREIGN_KEY, HERE)
TAGS = Relation("tags", BOOK, AUTHOR, Kind.MANY_TO_MANY, HERE)


def loop(bound: Bound = Bound.MANY, *, limit: int | None = None, relation: Relation | None = None, first_only: bool = False) -> Loop:
    source = QueryObject(relation=relation)
    return Loop(1, HERE, HERE, "for", bound=bound, limit=limit, source=source, first_only=first_only)


def told(cost: str, *events: Event) -> list[str]:
    return list(disagreements(QueryLog(events), cost, lambda site: site.path))


def test_equal_growth_agrees() -> None:
    once = Event(op=Op.LOAD_ROWS)
    assert told("1", once) == []
    assert told("1 + N", once, Event(op=Op.LAZY_OBJECT, loops=(loop(),))) == []
    assert told("1 + N + N²", once, Event(op=Op.LAZY_OBJECT, loops=(loop(), loop()))) == []


def test_a_log_that_grows_too_little_or_too_much_disagrees() -> None:
    (missing,) = told("1 + N", Event(op=Op.LOAD_ROWS))
    assert "nothing that grows" in missing
    (surplus,) = told("2", Event(op=Op.LAZY_OBJECT, site=HERE, loops=(loop(),)))
    assert surplus.endswith("`lazy object` at shop/report.py grows faster")


def test_what_may_not_happen_is_never_missing() -> None:
    maybe = Event(op=Op.LAZY_OBJECT, loops=(loop(),), around=Circumstances(conditional=True))
    assert told("1", maybe) == []
    assert told("1 + N", maybe) == []


def test_the_flush_decides_how_additions_are_sent() -> None:
    add = Event(op=Op.ADD, orm=Orm.SQLALCHEMY, loops=(loop(),))
    assert told("2 + N", add) == []
    assert told("3", add) == []


def test_loops_grow_with_what_they_walk() -> None:
    def of(*loops: Loop) -> int:
        return growth(Event(loops=loops))

    assert of(loop()) == 1
    assert of(loop(), loop(relation=BOOKS)) == 1
    assert of(loop(), loop(relation=TAGS)) == 2
    assert of(loop(), loop(), loop()) == 2
    assert of(loop(Bound.FEW, limit=3)) == 0
    assert of(loop(Bound.FEW, limit=100)) == 1
    assert of(loop(Bound.PAGE)) == 1
    assert of(loop(first_only=True)) == 0


def test_multiplicity_is_the_product_of_the_loops() -> None:
    assert multiplicity([]) == "1"
    assert multiplicity([loop(Bound.ONE), loop(first_only=True)]) == "1"
    assert multiplicity([loop(), loop(Bound.FEW, limit=4)]) == "N×≤4"
    assert multiplicity([loop(Bound.PAGE), loop()]) == "page×N"


def test_the_log_is_written_in_columns_and_without_repetition() -> None:
    lazy = Event(op=Op.LAZY_COLLECTION, site=HERE, relation=BOOKS, model=BOOK, loops=(loop(),), callees=("titles",))
    log = QueryLog([Event(op=Op.LOAD_ROWS, site=HERE, model=AUTHOR), lazy, lazy])
    assert dump_log(log, lambda site: f"{site.path}:1") == (
        "1  load rows        Author        shop/report.py:1\n"
        "N  lazy collection  Author.books  shop/report.py:1  via titles\n"
    )  # fmt: skip


def test_the_schema_is_written_with_relations_and_their_other_sides() -> None:
    from ormlint.link.schema import Schema

    author = Model("Author", "shop.Author", Orm.DJANGO, HERE)
    book = Model("Book", "shop.Book", Orm.DJANGO, HERE, bases=(author,), proxy=True)
    forward = Relation("author", book, author, Kind.FOREIGN_KEY, HERE)
    back = Relation("books", author, book, Kind.REVERSE_FOREIGN_KEY, HERE, inverse=forward, lazy="dynamic")
    forward.inverse = back
    author.relations["books"], book.relations["author"] = back, forward
    assert dump_schema(Schema({"shop.Author": author, "shop.Book": book})) == (
        "shop.Author\n"
        "  books → Book  reverse foreign key  ⇄ author  dynamic\n"
        "shop.Book  (Author)  proxy\n"
        "  author → Author  foreign key  ⇄ books\n"
    )  # fmt: skip
