"""Draws SQLAlchemy projects: mappings with options, and functions that walk over their rows in many ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.generated import passing
from tests.generated.layout import ARGUMENTS, BACKSLASHES, HANGING, INLINE, PARENTHESIZED, STYLES, Chain, FileLayout, Link, file_layouts, spell

Draw = Callable[[st.SearchStrategy], object]
PACKAGE = "fleet"


# ----------------------------------------------------------------------------------------------------------- models
@dataclass(frozen=True)
class Options:
    """What varies between the sets of mappings."""

    nullable: bool = False
    two_ways: bool = True  # both ends of a relationship know each other
    eager: str = ""  # a relationship that the mapping loads: joined, selectin
    inherited: bool = False


OPTIONS = (
    Options(),
    Options(nullable=True, two_ways=False),
    Options(eager="joined"),
    Options(nullable=True, eager="selectin"),
    Options(inherited=True),
)


def models_of(options: Options) -> dict[str, str]:
    """Returns the files that do not vary from program to program."""
    null = " | None" if options.nullable else ""

    def back(name: str) -> str:
        return f'back_populates="{name}"' if options.two_ways else f'overlaps="{name}"'

    lazy = f', lazy="{options.eager}"' if options.eager else ""
    kind = '    kind: Mapped[str]\n    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "ship"}\n' if options.inherited else ""
    child = (
        '\n\nclass Tanker(Ship):\n    __tablename__ = "tanker"\n    __mapper_args__ = {"polymorphic_identity": "tanker"}\n\n'
        '    id: Mapped[int] = mapped_column(ForeignKey("ship.id"), primary_key=True)\n    litres: Mapped[int] = mapped_column(default=1)\n'
        if options.inherited
        else ""
    )
    text = f"""from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


ship_flags = Table("ship_flags", Base.metadata, Column("ship_id", ForeignKey("ship.id")), Column("flag_id", ForeignKey("flag.id")))


class Port(Base):
    __tablename__ = "port"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    lines: Mapped[list[Line]] = relationship({back("port")})


class Line(Base):
    __tablename__ = "line"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    port_id: Mapped[int{null}] = mapped_column(ForeignKey("port.id"))
    port: Mapped[Port{null}] = relationship({back("lines")})
    ships: Mapped[list[Ship]] = relationship({back("line")}, foreign_keys="Ship.line_id")

    @property
    def seat(self):
        return self.port.name if self.port else "?"


class Flag(Base):
    __tablename__ = "flag"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


class Ship(Base):
    __tablename__ = "ship"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    tons: Mapped[int]
    line_id: Mapped[int{null}] = mapped_column(ForeignKey("line.id"))
    line: Mapped[Line{null}] = relationship({back("ships")}, foreign_keys=[line_id]{lazy})
    charterer_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"))
    charterer: Mapped[Line | None] = relationship(foreign_keys=[charterer_id])
    flags: Mapped[list[Flag]] = relationship(secondary=ship_flags)
    cargo: Mapped[list[Cargo]] = relationship({back("ship")})
{kind}
    def __repr__(self):
        return f"{{self.name}} of {{self.line.name if self.line else '-'}}"


class Cargo(Base):
    __tablename__ = "cargo"

    id: Mapped[int] = mapped_column(primary_key=True)
    weight: Mapped[int]
    ship_id: Mapped[int] = mapped_column(ForeignKey("ship.id"))
    ship: Mapped[Ship] = relationship({back("cargo")})
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("line.id"))
    owner: Mapped[Line | None] = relationship()
{child}"""
    return {f"{PACKAGE}/models.py": text, "fill.py": FILL.replace("NULLS", "2" if options.nullable else "0")}


FILL = """from fleet import models as m


def fill(session, rows):
    nulls = NULLS
    ports = [m.Port(name=f"port {n}") for n in range((rows + 1) // 2)]
    lines = []
    for n in range(rows):
        lines.append(m.Line(name=f"line {n}", port=None if nulls and n % 3 == nulls else ports[n % len(ports)]))
    flags = [m.Flag(word=f"flag {n}") for n in range(3)]
    session.add_all([*ports, *lines, *flags])
    session.flush()
    kind = getattr(m, "Tanker", m.Ship)
    for n in range(rows + rows // 2):
        line = None if nulls and n % 4 == 3 else lines[(n * 2) % len(lines)]
        ship = (kind if n % 2 else m.Ship)(
            name=f"ship {n}", tons=10 + n * 7 % 40, line_id=line and line.id, charterer_id=lines[n % len(lines)].id if n % 3 else None
        )
        ship.flags = flags[: n % 4]
        session.add(ship)
        session.flush()
        for k in range(n % 3):
            session.add(m.Cargo(ship_id=ship.id, weight=k + n % 2, owner_id=lines[k % len(lines)].id if k else None))
"""


# --------------------------------------------------------------------------------------------------------- accesses
ACCESSES = {
    "Ship": [
        "{x}.line.name",
        "{x}.line and {x}.line.name",
        "{x}.line.port.name",
        "{x}.line.seat",
        "{x}.charterer.name if {x}.charterer else None",
        "{x}.charterer and {x}.charterer.port and {x}.charterer.port.name",
        "repr({x})",
        "{x}.line_id",
        "sorted(f.word for f in {x}.flags)",
        "len({x}.flags)",
        "sorted(c.weight for c in {x}.cargo)",
        "sum(c.weight for c in {x}.cargo)",
        "sorted(str(c.owner and c.owner.name) for c in {x}.cargo)",
        "sorted(other.name for other in {x}.line.ships) if {x}.line else []",
        "describe({x})",
        "{x}.name",
    ],
    "Line": [
        "{x}.port.name",
        "{x}.port and {x}.port.name",
        "{x}.seat",
        "sorted(s.name for s in {x}.ships)",
        "sorted(repr(s) for s in {x}.ships)",
        "sorted(f.word for s in {x}.ships for f in s.flags)",
        "len({x}.ships)",
        "{x}.name",
    ],
    "Cargo": [
        "{x}.ship.name",
        "{x}.ship.line and {x}.ship.line.name",
        "{x}.owner and {x}.owner.name",
        "{x}.owner.port.name if {x}.owner and {x}.owner.port else 0",
        "sorted(f.word for f in {x}.ship.flags)",
        "repr({x}.ship)",
        "{x}.weight",
    ],
    "Port": ["sorted(a.name for a in {x}.lines)", "sorted(s.name for a in {x}.lines for s in a.ships)", "{x}.name"],
}
ACCESSES["Tanker"] = ACCESSES["Ship"]


def refinements_of(model: str, query: bool) -> list[Link]:
    """Returns methods that give another query of rows."""
    common = [
        Link("order_by", (f"{model}.id",)),
        Link("order_by", (f"{model}.id.desc()",)),
        Link("filter", (f"{model}.id > 0",)),
        Link("where", (f"{model}.id != 1",)),
        Link("distinct"),
        Link("with_for_update"),
        Link("execution_options", ("populate_existing=True",)),
        Link("filter_by", ("id=2",)),
        Link("group_by", (f"{model}.id",)),
    ]
    ship = [
        Link("filter", (f"{model}.tons > 12", f"{model}.line_id.is_not(None)")),
        Link("join", (f"{model}.line",)),
        Link("outerjoin", (f"{model}.charterer",)),
        Link("options", (f"joinedload({model}.line)",)),
        Link("options", (f"selectinload({model}.line)",)),
        Link("options", (f"joinedload({model}.line).joinedload(Line.port)", f"selectinload({model}.flags)")),
        Link("options", (f"lazyload({model}.line)",)),
        Link("options", (f"load_only({model}.name)",)),
        Link("options", (f"defer({model}.tons)",)),
        Link("options", (f"raiseload({model}.cargo)",)),
        Link("options", (f"joinedload({model}.line).load_only(Line.name)",)),
    ]
    line = [
        Link("filter", ("Line.id < 4",)),
        Link("options", ("joinedload(Line.port)",)),
        Link("options", ("selectinload(Line.ships)",)),
        Link("join", ("Line.ships",)),
    ]
    cargo = [Link("filter", ("Cargo.weight >= 1",)), Link("options", ("joinedload(Cargo.ship)",)), Link("join", ("Cargo.ship",))]
    return common + {"Ship": ship, "Tanker": ship, "Line": line, "Cargo": cargo, "Port": []}[model]


# --------------------------------------------------------------------------------------------------------- programs
@dataclass(frozen=True)
class Program:
    """A generated program: its files, and what to run."""

    options: Options
    files: dict[str, str]
    entry: str = f"{PACKAGE}.report"

    @property
    def models(self) -> dict[str, str]:
        return models_of(self.options)

    @property
    def orm(self) -> str:
        return "sqlalchemy"


IMPORTS = (
    "from sqlalchemy import func, select\nfrom sqlalchemy.orm import defer, joinedload, lazyload, load_only, raiseload, selectinload\n",
    "from sqlalchemy import func, select\nfrom sqlalchemy.orm import (\n"
    "    defer, joinedload, lazyload, load_only,\n    raiseload, selectinload,  # eager\n)\n",
    "from sqlalchemy import select, func\n",
    "import sqlalchemy.orm as orm\nfrom sqlalchemy import func, select\n",
)
_LOADERS = ("joinedload", "selectinload", "lazyload", "load_only", "defer", "raiseload")


@st.composite
def programs(draw: Draw) -> Program:
    """Draws a program of a few functions."""
    options = draw(st.sampled_from(OPTIONS))
    names = ["Ship", "Line", "Cargo", "Port", *(["Tanker"] if options.inherited else [])]
    helpers: list[str] = []
    drawn = st.sampled_from([cases_of, cases_of, passing_cases_of])
    cases = [draw(draw(drawn)(names, number, helpers)) for number in range(draw(st.integers(1, 4)))]
    models = f"from fleet.models import {', '.join([*names, 'Flag'])}\n"
    layout = draw(file_layouts())
    report = (
        f"{models}\nfrom fleet import rows\n\n\ndef describe(ship):\n    return ship.charterer.name if ship.charterer else 0\n\n\n"
        + "\n\n".join(cases)
    )
    rows = f"{passing.IMPORTS}{models}\n\n" + "\n\n".join(helpers)
    texts = [_with_imports(draw, text) for text in (report, rows)]
    return Program(options, {f"{PACKAGE}/report.py": layout.applied(texts[0]), f"{PACKAGE}/rows.py": FileLayout(crlf=layout.crlf).applied(texts[1])})


def _with_imports(draw: Draw, text: str) -> str:
    written = draw(st.sampled_from(IMPORTS if not any(loader in text for loader in _LOADERS) else IMPORTS[:2]))
    return written + text


@st.composite
def chains(draw: Draw, model: str, query: bool) -> tuple[Chain, bool]:
    """Draws a query of a model's rows, and whether they come in a known order."""
    root = Chain("session", (Link("query", (model,)),)) if query else Chain(f"select({model})")
    chain = root.then(*draw(st.lists(st.sampled_from(refinements_of(model, query)), max_size=3)))
    ordered = any(link.name == "order_by" for link in chain.links[:2])
    if draw(st.integers(0, 4)) == 0:
        if not ordered:
            chain = chain.then(Link("order_by", (f"{model}.id",)))
        chain = chain.then(Link("limit", ("3",)))
        ordered = True
    return chain, ordered


@st.composite
def passing_cases_of(draw: Draw, names: list[str], number: int, helpers: list[str]) -> str:
    """Draws functions `case_…` about one query, or two queries of different models, on their way through functions and objects."""
    models = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    query = draw(st.booleans())
    refinements, queries = (".filter_by(id=2)", ".all()", ".order_by(None)"), []
    for model in models:
        chain, _ = draw(chains(model, query))
        if not query or chain.links[-1].name == "limit":
            refinements = ()
        text = spell(chain, draw(st.sampled_from([INLINE, PARENTHESIZED])), "    ")
        queries.append(text if query else draw(st.sampled_from(["session.scalars({})", "session.scalars({}).all()"])).format(text))
    reads = [[access for access in ACCESSES[model] if "describe(" not in access] for model in models]
    words = passing.Words("id", refinements)
    if len(models) == 2:
        return draw(passing.of_two_models(number, queries, reads, "session", words, helpers))
    return draw(passing.cases(number, queries[0], reads[0], "session", words, helpers))


@st.composite
def cases_of(draw: Draw, names: list[str], number: int, helpers: list[str]) -> str:
    """Draws one function `case_…`."""
    model = draw(st.sampled_from(names))
    query = draw(st.booleans())
    chain, ordered = draw(chains(model, query))
    source, before, is_list = draw(_sources(chain, query, number, helpers))
    paths = draw(st.lists(st.sampled_from(ACCESSES[model]), min_size=1, max_size=3, unique=True))
    return f"def case_{number}(session):\n" + before + draw(_consumers(source, paths, model, ordered, query and not is_list))


@st.composite
def _sources(draw: Draw, chain: Chain, query: bool, number: int, helpers: list[str]) -> tuple[str, str, bool]:
    """Draws how the loop gets at the rows: the expression, the statements before it, and whether it gives a list."""
    style = draw(st.sampled_from(STYLES))
    inside = style if style in (INLINE, PARENTHESIZED, HANGING, ARGUMENTS) else INLINE
    final = chain.links[-1:] and chain.links[-1].name == "limit"

    def executed(statement: str) -> str:
        if query:
            return draw(st.sampled_from(["{}", "{}", "{}.all()"])).format(statement)
        forms = ["session.scalars({})", "session.scalars({}).all()", "session.scalars({}).unique()", "session.execute({}).scalars().all()"]
        return draw(st.sampled_from(forms)).format(statement)

    text = spell(chain, style, "    ")
    match draw(st.sampled_from(["direct", "variable", "same line", "helper", "statement", "refined", "condition", "list", "parameter"])):
        case "direct":
            return executed(spell(chain, inside, "    ")), "", True
        case "same line" if style in (INLINE, PARENTHESIZED, BACKSLASHES):
            return executed("found"), f'    word = "über"; found = {text}\n', False
        case "helper":
            helpers.append(f"def rows_{number}(session):\n    return {executed(spell(chain, inside, '    '))}\n")
            return f"rows.rows_{number}(session)", "", True
        case "statement":
            helpers.append(f"def rows_{number}(session):\n    return {text}\n")
            return executed(f"rows.rows_{number}(session)"), "", True
        case "refined" if not final:
            return executed("found"), f"    found = {text}\n    found = found.where({_class(chain)}.id != 2)  # not that one\n", False
        case "condition" if not final:
            before = f"    found = {text}\n    if session.query({_class(chain)}).count() > 2:\n        found = found.where({_class(chain)}.id > 1)\n"
            return executed("found"), before, False
        case "list":
            return "found", f"    found = list({executed(spell(chain, inside, '    '))})\n", True
        case "parameter":
            helpers.append(f"def rows_{number}(found):\n    return [row for row in found]\n")
            return f"rows.rows_{number}({executed(spell(chain, INLINE, ''))})", "", True
        case _:
            return executed("found"), f"    found = {text}\n", False


def _class(chain: Chain) -> str:
    return chain.links[0].arguments[0] if chain.root == "session" else chain.root[len("select(") : -1]


AGAIN = (
    *[""] * 6,
    "    print({s}.count())\n",
    "    print({s}.first() is None)\n",
    "    for {x} in {s}:\n        print({x}.id)\n",
    "    print({s}.filter_by(id=2).count())\n",
    "    print(session.query({s}.exists()).scalar())\n",
)
CHANGES = ("session.refresh({x})", "session.expire({x})", "session.expunge({x})", "session.flush()", "session.expire_all()", "{x}.name = 'new'")


@st.composite
def _consumers(draw: Draw, source: str, paths: list[str], model: str, ordered: bool, is_query: bool) -> str:
    """Draws the statements that walk over the rows and print."""
    row = draw(st.sampled_from(["row", "x", "each"]))
    reads = ", ".join(path.format(x=row) for path in paths)
    again = draw(st.sampled_from(AGAIN)).format(s="found", x=row) if source == "found" and is_query else ""
    match draw(st.integers(0, 13)):
        case 0 | 1:
            body = f"    for {row} in {source}:\n        print({reads})\n"
        case 2:
            body = f"    for {row} in {source}: print({reads})\n"
        case 3:
            body = f"    print(sorted(str(({reads},)) for {row} in {source}))\n"
        case 4:
            body = f"    for {row} in {source}:\n        if {row}.id > 1:\n            print({reads})\n"
        case 5:
            body = f"    for {row} in {source}:\n        print({reads})\n    else:\n        print('all')\n"
        case 6:
            body = f"    got = list({source})\n    if got:\n        for {row} in got:\n            print({reads})\n"
        case 7 if is_query and source == "found":
            body = f"    if found.count() > 0:\n        for {row} in found:\n            print({reads})\n"
        case 8:
            body = f"    print([({reads},) for {row} in {source} if {row}.id != 2])\n"
        case 9:
            append = f'lines.append(f"{{number}} {{({reads},)}}")'
            body = f"    lines = []\n    for number, {row} in enumerate({source}):\n        {append}\n    print(len(lines))\n"
        case 10 if ordered:
            body = f"    for {row} in {source}:\n        print({reads})\n        if {row}.id == 3:\n            break\n"
        case 11:
            body = f"    print(len(list({source})))\n"
        case 12:
            change = draw(st.sampled_from(CHANGES)).format(x=row)
            body = f"    for {row} in {source}:\n        print({reads})\n        {change}\n"
        case _:
            body = f"    print(sum({row}.id for {row} in {source}))\n"
    return body + again
