"""A piece of work for every fixer of SQLAlchemy programs."""

from __future__ import annotations

from tests.generated.layout import Chain, Link
from tests.torture.work import DECLARED, Gain, Work

PACKAGE = "fleet"
MODELS = ("Cargo", "Flag", "Line", "Port", "Ship")


def _query(model: str, *links: Link) -> Chain:
    first = (Link("query", (model,)), Link("filter", (f"{model}.id > 0",)))
    return Chain("session", (*first, *links, Link("order_by", (f"{model}.id",))))


def _loaded(*options: str) -> Chain:
    return _query("Ship", Link("options", options))


_SHIPS = _query("Ship")
_LINES = _query("Line")
_SELECTED = Chain("select(Ship)", (Link("where", ("Ship.id > 0",)), Link("order_by", ("Ship.id",))))
_FLAGS = "sorted(flag.word for flag in ship.flags)"
_SHOWN = "print(ship.id, ship.name, ship.tons, ship.line_id, ship.charterer_id)"
_JOINED = "from sqlalchemy.orm import joinedload"

_LOADS = (
    Work("joined option", ("ORM101",), _SHIPS, "for ship in {q}:\n    print(ship.name, ship.line.name)", "ship"),
    Work("selectin option", ("ORM102",), _SHIPS, f"for ship in {{q}}:\n    print(ship.name, {_FLAGS})", "ship"),
    Work("two options", ("ORM101", "ORM102"), _SHIPS, f"for ship in {{q}}:\n    print(ship.line.name)\n    print({_FLAGS})", "ship"),
    Work("option of a select", ("ORM101",), _SELECTED, "for ship in session.scalars({q}):\n    print(ship.name, ship.line.name)", "ship"),
    Work(
        "option of what is joined",
        ("ORM101",),
        Chain("select(Ship)", (Link("join", ("Ship.line",)), Link("where", ("Line.id > 0",)), Link("order_by", ("Ship.id",)))),
        "for ship in session.scalars({q}):\n    print(ship.name, ship.line.name)",
        "ship",
    ),
    Work("nested option", ("ORM101",), _SHIPS, "for ship in {q}:\n    print(ship.name, ship.line.port.name)", "ship"),
    Work("defaultload", ("ORM101",), _SHIPS, "for ship in {q}:\n    print(ship.name, ship.line.port.name)", "ship", models=2),
    Work(
        "longer option",
        ("ORM101",),
        _loaded("joinedload(Ship.line)"),
        "for ship in {q}:\n    print(ship.name, ship.line.port.name)",
        "ship",
        imports=_JOINED,
    ),
    Work(
        "unread option",
        ("ORM116",),
        _loaded("selectinload(Ship.flags)"),
        "for ship in {q}:\n    print(ship.name)",
        "ship",
        imports="from sqlalchemy.orm import selectinload",
    ),
    Work(
        "detached row",
        ("ORM605",),
        Chain("opened", (*_SHIPS.links, Link("all"))),
        "with Session(session.get_bind()) as opened:\n    ships = {q}\nfor ship in ships:\n    print(ship.name, ship.line.name)",
        "ship",
        imports="from sqlalchemy.orm import Session",
        unfit=(("defer", "the program itself reads the column that is left out"),),
        gain=Gain.REPAIR,
    ),
    Work(
        "loader with a limit",
        ("ORM405",),
        _loaded("joinedload(Ship.flags)").then(Link("limit", ("4",)), Link("all")),
        f"for ship in {{q}}:\n    print(ship.name, {_FLAGS})",
        "ship",
        imports=_JOINED,
        gain=Gain.ROWS,
    ),
    Work(
        "loader of two collections",
        ("ORM406",),
        _loaded("joinedload(Ship.flags)", "joinedload(Ship.cargo)").then(Link("all")),
        f"for ship in {{q}}:\n    print(ship.name, {_FLAGS}, sorted(each.weight for each in ship.cargo))",
        "ship",
        imports=_JOINED,
        unfit=(("prefetch_related(…)", "one relationship would have two loaders"),),
        gain=Gain.ROWS,
    ),
    Work(
        "loader of a stream",
        ("ORM415",),
        _loaded("joinedload(Ship.flags)").then(Link("yield_per", ("5",))),
        f"for ship in {{q}}:\n    print(ship.name, {_FLAGS})",
        "ship",
        imports=_JOINED,
        gain=Gain.REPAIR,
    ),
)
_RESULTS = (
    Work(
        "repeated rows",
        ("ORM407",),
        Chain("select(Ship)", (Link("where", ("Ship.id > 0",)), Link("options", ("joinedload(Ship.flags)",)), Link("order_by", ("Ship.id",)))),
        f"for ship in session.scalars({{q}}).all():\n    print(ship.name, {_FLAGS})",
        "ship",
        imports=_JOINED,
        gain=Gain.REPAIR,
    ),
    Work(
        "rows taken twice",
        ("ORM217",),
        _SELECTED,
        "ships = session.scalars({q})\nprint([ship.name for ship in ships])\nprint([ship.tons for ship in ships])",
        gain=Gain.REPAIR,
    ),
)
_QUESTIONS = (
    Work("answer of a query", ("ORM206",), _SHIPS, "for ship in {q}:\n    print(ship.name)\nprint([ship.tons for ship in {q}])"),
    Work(
        "ask a select before",
        ("ORM104",),
        _SELECTED,
        "for line in session.query(Line).order_by(Line.id):\n    for ship in session.scalars({q}):\n        print(line.name, ship.tons)",
        "line",
    ),
    Work("len of a query", ("ORM201",), _SHIPS.then(Link("all")), "print(len({q}))", gain=Gain.ROWS),
    Work("len of a select", ("ORM201",), _SELECTED, "print(len(session.scalars({q}).all()))", gain=Gain.ROWS),
    Work("count test of a query", ("ORM202",), _SHIPS.then(Link("count")), "if {q} > 0:\n    print('some')", gain=Gain.ROWS),
    Work("one of all, of a query", ("ORM208",), _SHIPS.then(Link("all")), "ship = {q}[0]\nprint(ship.name)", gain=Gain.ROWS),
    Work(
        "subquery of a select",
        ("ORM213",),
        _SELECTED,
        "print(session.query(Cargo).filter(Cargo.ship_id.in_([ship.id for ship in session.scalars({q})])).count())",
        unfit=(("walrus", "Python has no `:=` in the rows of a comprehension"),),
    ),
    Work(
        "subquery of a query",
        ("ORM213",),
        _SHIPS,
        "print(session.query(Cargo).filter(Cargo.ship_id.in_([ship.id for ship in {q}])).count())",
        unfit=(("walrus", "Python has no `:=` in the rows of a comprehension"),),
    ),
    Work("truth of a query", ("ORM215",), _SHIPS, "if {q}:\n    print('some')\nelse:\n    print('none')", gain=Gain.REPAIR),
    Work(
        "sieve of a query",
        ("ORM211",),
        _SHIPS,
        "for ship in {q}:\n    if ship.tons < 3:\n        continue\n    print(ship.name)",
        "ship",
        gain=Gain.ROWS,
    ),
    Work(
        "sieve of a select",
        ("ORM211",),
        _SELECTED,
        "for ship in session.scalars({q}):\n    if ship.tons > 2:\n        print(ship.name)",
        "ship",
        gain=Gain.ROWS,
    ),
    Work(
        "block of a session",
        ("ORM614",),
        _SHIPS,
        "for ship in {q}.all():\n    with session.begin_nested():\n        session.add(Flag(word=ship.name))\nprint(session.query(Flag).count())",
        "ship",
        gain=Gain.ROWS,
    ),
    Work(
        "key of a select",
        ("ORM404",),
        _SELECTED,
        "print([ship.id for ship in session.scalars({q})])",
        gain=Gain.ROWS,
        unfit=(("walrus", "Python has no `:=` in the rows of a comprehension"),),
    ),
    Work("parts of a query", ("ORM403",), _SHIPS, f"for ship in {{q}}:\n    {_SHOWN}", "ship", gain=Gain.ROWS, place="tasks"),
    Work("parts of a list", ("ORM403",), _SHIPS.then(Link("all")), f"for ship in {{q}}:\n    {_SHOWN}", "ship", gain=Gain.ROWS, place="tasks"),
    Work(
        "parts of a select",
        ("ORM403",),
        _SELECTED,
        f"for ship in session.scalars({{q}}).all():\n    {_SHOWN}",
        "ship",
        gain=Gain.ROWS,
        place="tasks",
    ),
    Work(
        "parts and an option",
        ("ORM102", "ORM403"),
        _SELECTED,
        f"for ship in session.scalars({{q}}):\n    {_SHOWN}\n    print({_FLAGS})",
        "ship",
        imports="from sqlalchemy.orm import selectinload",
        place="tasks",
    ),
    Work(
        "first of a select",
        ("ORM209",),
        _SELECTED,
        "ship = session.scalars({q}).first()\nprint(ship.name if ship else None)",
        gain=Gain.ROWS,
    ),
    Work(
        "aggregate of a query",
        ("ORM210",),
        _SHIPS,
        "total = sum(ship.tons for ship in {q})\nprint(total)",
        gain=Gain.ROWS,
    ),
    Work(
        "order of a query",
        ("ORM412",),
        Chain(
            "session", (Link("query", ("Ship",)), Link("filter", ("Ship.id > 0",)), Link("offset", ("page * 3",)), Link("limit", ("3",)), Link("all"))
        ),
        "for page in (0, 1):\n    for ship in {q}:\n        print(ship.name)",
        gain=Gain.ROWS,
        unfit=(
            ("query of a function", "the function would have to be told the page"),
            ("query of another file", "the function would have to be told the page"),
        ),
    ),
    Work("key of a row", ("ORM110",), _SHIPS, "for ship in {q}:\n    print(ship.name, ship.line.id)", "ship"),
)
_WRITES = (
    Work(
        "commit",
        ("ORM307",),
        _SHIPS,
        "for ship in {q}.all():\n    ship.tons += 1\n    session.commit()\nprint(session.query(Ship).count())",
        "ship",
    ),
    Work(
        "flush",
        ("ORM308",),
        _SHIPS,
        "for ship in {q}.all():\n    session.add(Flag(word=ship.name))\n    session.flush()\nprint(session.query(Flag).count())",
        "ship",
        gain=Gain.ROWS,
    ),
    Work(
        "bulk insert",
        ("ORM302",),
        _SHIPS,
        "for ship in {q}.all():\n    session.execute(insert(Flag).values(word=ship.name))\nprint(session.query(Flag).count())",
        "ship",
        imports="from sqlalchemy import insert",
    ),
    Work(
        "fetch before, of a session",
        ("ORM103",),
        _SHIPS,
        "for ship in {q}:\n    line = session.get(Line, ship.line_id)\n    print(line.name)",
        "ship",
    ),
    Work(
        "fetch before, of a query",
        ("ORM103",),
        _SHIPS,
        "for ship in {q}.all():\n    line = session.query(Line).filter(Line.id == ship.line_id).first()\n    print(line.name)",
        "ship",
    ),
    Work(
        "fetch before, of a statement",
        ("ORM103",),
        _LINES,
        "for line in {q}:\n    for ship in session.scalars(select(Ship).where(Ship.line_id == line.id)):\n        print(ship.name)",
        "line",
    ),
    Work(
        "put into a collection",
        ("ORM315",),
        Chain(""),
        "ship = session.get(Ship, 2)\nif ship is not None:\n    ship.cargo.append(Cargo(weight=3))\nprint(session.query(Cargo).count())",
        lacks=DECLARED,
    ),
    Work(
        "delete with what belongs to it",
        ("ORM303",),
        _SHIPS,
        "session.query(Cargo).delete()\nfor ship in {q}:\n    session.delete(ship)\nprint(session.query(Ship).count())",
        "ship",
    ),
)
_ON_AIOSQLITE = """async def in_a_session(work):
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    try:
        async with AsyncSession(engine) as opened:
            await work(opened)
    finally:
        await engine.dispose()"""
_AIOSQLITE = "import asyncio\n\nfrom sqlalchemy.ext.asyncio import AsyncSession, create_async_engine\n\nfrom fleet.models import Base"
_ASYNCHRONOUS = (
    Work(
        "expired row",
        ("ORM603",),
        Chain(""),
        'async def made(opened: AsyncSession):\n    port = Port(name="new")\n    opened.add(port)\n    await opened.commit()\n'
        "    print(port.id, port.name)\n\nasyncio.run(in_a_session(made))",
        above=_ON_AIOSQLITE,
        imports=_AIOSQLITE,
        gain=Gain.REPAIR,
        lacks=DECLARED,
        needs="aiosqlite",
    ),
    Work(
        "expired row of a query",
        ("ORM603",),
        Chain("select(Port)", (Link("where", ("Port.id > 0",)), Link("order_by", ("Port.id",)))),
        'async def changed(opened: AsyncSession):\n    opened.add(Port(name="old"))\n    await opened.flush()\n'
        "    port = (await opened.scalars({q})).one()\n"
        '    port.name = "new"\n    await opened.commit()\n    return port.name\n\n'
        "async def shown(opened: AsyncSession):\n    print(await changed(opened))\n\nasyncio.run(in_a_session(shown))",
        above=_ON_AIOSQLITE,
        imports=_AIOSQLITE,
        gain=Gain.REPAIR,
        needs="aiosqlite",
    ),
)
_ENDPOINTS = (
    Work(
        "endpoint",
        ("ORM601",),
        Chain("opened", (Link("query", ("Ship",)), Link("filter", ("Ship.id > 0",)), Link("count"))),
        'app.state.bind = session.get_bind()\nclient = TestClient(app)\nprint(client.get("/number").json())',
        above='app = FastAPI()\n\n\n@app.get("/number")\nasync def number():  # of all\n    with Session(app.state.bind) as opened:\n'
        "        return {q}",
        imports="from fastapi import FastAPI\nfrom fastapi.testclient import TestClient\nfrom sqlalchemy.orm import Session",
        gain=Gain.ROWS,
        needs="fastapi",
    ),
)
_DECLARED = (
    Work(
        "index for a column",
        ("ORM502",),
        Chain(""),
        "print(Wreck{n}.__tablename__)",
        above='class Wreck{n}(Base):\n    __tablename__ = "wreck{n}"\n\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
        "    code: Mapped[str] = mapped_column()  # to be found by\n\n\n"
        "def wrecks(session, code):\n    return session.query(Wreck{n}).filter_by(code=code).all()",
        imports="from sqlalchemy.orm import Mapped, mapped_column\n\nfrom fleet.models import Base",
        gain=Gain.ROWS,
        lacks=DECLARED,
    ),
    Work(
        "index of a foreign key",
        ("ORM501",),
        Chain("session", (Link("query", ("Buoy{n}",)), Link("filter_by", ("line_id=3",)), Link("order_by", ("Buoy{n}.id",)))),
        "Buoy{n}.__table__.create(session.connection(), checkfirst=True)\nprint({q}.all())",
        above='class Buoy{n}(Base):\n    __tablename__ = "buoy{n}"\n\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
        '    line_id: Mapped[int] = mapped_column(ForeignKey("line.id"))  # where it lies',
        imports="from sqlalchemy import ForeignKey\nfrom sqlalchemy.orm import Mapped, mapped_column\n\nfrom fleet.models import Base",
        gain=Gain.ROWS,
    ),
    Work(
        "index of a key",
        ("ORM504",),
        Chain(""),
        "print(Anchor{n}.__tablename__)",
        above='class Anchor{n}(Base):\n    __tablename__ = "anchor{n}"\n\n    '
        "id: Mapped[int] = mapped_column(primary_key=True, index=True)  # its number",
        imports="from sqlalchemy.orm import Mapped, mapped_column\n\nfrom fleet.models import Base",
        gain=Gain.ROWS,
        lacks=DECLARED,
    ),
)

WORKS = (*_LOADS, *_RESULTS, *_QUESTIONS, *_WRITES, *_ASYNCHRONOUS, *_ENDPOINTS, *_DECLARED)
