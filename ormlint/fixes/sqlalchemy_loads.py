"""Loader options, added to the expression that builds a SQLAlchemy query or select."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import libcst as cst

from ormlint.fixes.chain import Chain, Link, append_argument, append_element, chain_of, insert_links, last_name
from ormlint.fixes.imports import Refusal, Spelling, import_in_function, in_one_statement, spell_import, spell_model
from ormlint.fixes.source import SourceFile
from ormlint.fixes.statement import Statement
from ormlint.judge.eager import below, loader_of
from ormlint.judge.finding import Applicability, Fix
from ormlint.link.schema import Relation, Schema
from ormlint.run.log import LoadPlan, QueryObject
from ormlint.text import Edit

Hops = tuple[Relation, ...]
_Route = tuple[Hops, list[str]]  # a path, and the class that each hop starts from as the file writes it

# What runs the statement, limits it, or makes something else of it; options stand before.
_END_NAMES = """
    all first one one_or_none scalar scalars scalar_one scalar_one_or_none count get get_or_404 first_or_404 one_or_404
    limit offset slice fetch paginate yield_per update delete exists subquery cte scalar_subquery as_scalar label
    union union_all intersect intersect_all except_ except_all with_entities from_self unique mappings tuples partitions columns
"""
ENDS = frozenset(_END_NAMES.split())
_EXECUTING = frozenset({"scalars", "scalar", "execute", "exec", "stream", "stream_scalars", "paginate", "first_or_404", "one_or_404"})
_IDENTITY = frozenset({"get", "get_one", "get_or_404", "merge"})
_TAKING_OPTIONS = frozenset({"get", "get_one"})
_LOADERS = frozenset({"joinedload", "selectinload", "subqueryload", "contains_eager", "immediateload", "defaultload"})
LONGEST_LINE = 120
_REFUSERS = frozenset({"lazyload", "noload", "raiseload"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where the options go: the chain, the first link that may follow them, and the class as the chain writes it.

    `entity` is None if the chain does not name the class. `call` fetches a row by its key and takes the options as an argument.
    """

    chain: Chain
    start: int
    entity: str | None = None
    call: cst.Call | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """A loader option that stands in the chain.

    `plain` tells that it only loads, so that it can be continued: not if it has options of its own, `selectinload(A.b).options(…)`.
    """

    value: cst.BaseExpression
    path: tuple[str, ...]
    plain: bool
    loaders: tuple[str, ...]

    def clashes(self, path: Hops, query: QueryObject, *, cut: bool) -> bool:
        """Whether it loads a relation on the way of a path in another way: SQLAlchemy refuses two loaders for one relation."""
        first: QueryObject | None = query
        plan = query.plan
        for name, loader, hop in zip(self.path, self.loaders, path, strict=False):
            if name != hop.name:
                return False
            own = loader_of(hop, first, plan, cut=cut)
            if "defaultload" not in (loader, own) and loader != own:
                return True
            first, plan = None, below(plan, name)
        return False


def add_options(
    file: SourceFile, statement: Statement, query: QueryObject, paths: Iterable[Hops], schema: Schema, *, cut: bool
) -> Fix | Refusal | None:
    """Returns the fix that loads paths with a query, without a verdict on its safety; a refusal if that cannot be written.

    Returns None if the query's expression is not found.
    """
    node = statement.expression(query.site.start, query.site.end)
    if node is None or query.model is None:
        return None
    if query.style == "related":
        return Refusal("the rows come from a relationship: load it further where its owner is queried")
    place = locate(statement, node, query.model.name)
    if isinstance(place, Refusal):
        return place
    entity = Spelling(place.entity) if place.entity else spell_model(file, query.site.start, query.model, schema)
    if isinstance(entity, Refusal):
        return entity
    wanted = [path for path in dict.fromkeys(paths) if not any(other != path and other[: len(path)] == path for other in paths)]
    return _Options(file, statement, query, schema, place, entity, cut).add(wanted)


def locate(statement: Statement, node: cst.BaseExpression, model: str) -> Place | Refusal:
    """Returns where further methods go in the expression that builds a query, or why that is not clear."""
    chain = chain_of(statement, node)
    if isinstance(chain.root, cst.Await):
        return locate(statement, chain.root, model)
    if isinstance(chain.root, cst.Call):
        entity = _entity(statement, chain.root, model)
        if entity is not None:
            return Place(chain, 0, entity)
    for number, link in enumerate(chain.links[: chain.inner]):
        if link.call is not None and link.call.args:
            if link.name in ("query", "select"):
                entity = _entity(statement, link.call, model)
                return Place(chain, number + 1, entity) if entity else Refusal(f"which of the selected entities is `{model}` is not clear")
            if link.name in _EXECUTING:
                return locate(statement, link.call.args[0].value, model)
        elif link.is_attribute and link.name == "query":
            return Place(chain, number + 1, statement.code(link.receiver))
    for link in chain.links[: chain.inner]:
        if link.name in _IDENTITY:
            return _by_key(statement, chain, link, model)
    return Place(chain, 0)


def _by_key(statement: Statement, chain: Chain, link: Link, model: str) -> Place | Refusal:
    """Returns the place of the options of `session.get(Book, 1)`."""
    call = link.call
    if link.name not in _TAKING_OPTIONS or call is None or len(call.args) < 2 or any(argument.star for argument in call.args):
        return Refusal("a row that is fetched by its key takes options in another way")
    entity = call.args[0].value
    if call.args[0].keyword is not None or last_name(entity) != model:
        return Refusal(f"which class is fetched is not clear, if it is `{model}`")
    return Place(chain, 0, statement.code(entity), call)


def _entity(statement: Statement, call: cst.Call, model: str) -> str | None:
    """Returns the selected class as it is written, or None if it cannot be told."""
    classes = [argument.value for argument in call.args if not argument.star and argument.keyword is None]
    named = [value for value in classes if last_name(value) == model]
    if len(named) == 1:
        return statement.code(named[0])
    is_selecting = isinstance(call.func, cst.Attribute) or (isinstance(call.func, cst.Name) and call.func.value.endswith("select"))
    if is_selecting and len(classes) == 1 and isinstance(classes[0], cst.Name):
        return classes[0].value  # `B = aliased(Book)`, `from shop import Book as B`
    return None


@dataclass(frozen=True, slots=True)
class _Branch:
    """A loader option to write: its loader, by spelling and name, what follows, and the imports for that."""

    loader: Spelling
    name: str
    tail: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class _Options:
    """Writes the options of one query."""

    file: SourceFile
    statement: Statement
    query: QueryObject
    schema: Schema
    place: Place
    entity: Spelling
    cut: bool

    def add(self, wanted: list[Hops]) -> Fix | Refusal:
        """Returns the fix."""
        links = self.place.chain.links
        end = next((number for number in range(self.place.start, len(links)) if links[number].is_index or links[number].name in ENDS), len(links))
        calls = [link.call for link in links[self.place.start : end] if link.call is not None and link.name == "options"]
        given = self._given()
        if isinstance(given, Refusal):
            return given
        values = [element.value for element in given.elements] if given else [argument.value for call in calls for argument in call.args]
        present = [option for value in values for option in _read_options(self.statement, value)]
        edits: list[Edit] = []
        continued: list[str] = []
        routes: list[_Route] = []
        for path in wanted:
            written = self._write(path)
            if isinstance(written, Refusal):
                return written
            classes, names = [spelling.text for spelling in written], tuple(hop.name for hop in path)
            edits += (edit for spelling in written for edit in spelling.edits if edit not in edits)
            if any(option.path == names for option in present):
                return Refusal(f"the query has an option for `{'.'.join(names)}` already")
            opened = [option for option in present if option.plain and option.path and option.path == names[: len(option.path)]]
            base = max(opened, key=lambda option: len(option.path), default=None)
            if base is not None:
                present.remove(base)
                code = "".join(_loads(path, classes, self.query.plan)[len(base.path) :])
                edits.append(self.file.insert(self.statement.outer(base.value)[1], code))
                continued.append(code)
            elif any(option.clashes(path, self.query, cut=self.cut) for option in present):
                return Refusal(f"the query has an option for `{names[0]}` that loads it in another way: continue that one")
            else:
                routes.append((path, classes))
        branches = self._branches(routes, self.query, self.query.plan)
        if isinstance(branches, Refusal):
            return branches
        added = [branch.loader.text + branch.tail for branch in branches]
        edits += (edit for branch in branches for edit in (*branch.loader.edits, *branch.edits) if edit not in edits)
        if added and self.place.call is not None:
            edits += self._pass(self.place.call, given, added)
        elif added and calls:
            edits += append_argument(self.file, self.statement, calls[-1], added)
        elif added:
            number = min(end, self.place.chain.inner)
            edits += insert_links(self.file, self.statement, self.place.chain, number, [self._laid_out(added, self.place.chain.receiver(number))])
        texts = [*continued, *added]
        description = f"add `.options({', '.join(texts)})` to the query" if added else f"continue the option with `{''.join(texts)}`"
        return Fix(Applicability.SAFE, description, tuple(_in_order(in_one_statement(edits))))

    def _branches(self, routes: list[_Route], query: QueryObject | None, plan: LoadPlan) -> list[_Branch] | Refusal:
        """Returns the options for some paths, of a query if they begin there; what they share stands once.

        joinedload(Book.author).joinedload(Author.country)        joinedload(Book.author).options(joinedload(…), selectinload(…))
        """
        groups: dict[tuple[Relation, str], list[_Route]] = {}
        for path, classes in routes:
            groups.setdefault((path[0], classes[0]), []).extend([(path[1:], classes[1:])] if path[1:] else [])
        branches = []
        for (hop, owner), rest in groups.items():
            name = loader_of(hop, query, plan, cut=self.cut)
            loader = spell_import(self.file, self.query.site.start, "sqlalchemy.orm", name)
            further = self._branches(rest, None, below(plan, hop.name))
            if isinstance(loader, Refusal) or isinstance(further, Refusal):
                return loader if isinstance(loader, Refusal) else further
            tail, edits = f"({owner}.{hop.name})", tuple(edit for branch in further for edit in branch.edits)
            if len(further) == 1:
                tail += f".{further[0].name}{further[0].tail}"
            elif further:
                tail += f".options({', '.join(branch.loader.text + branch.tail for branch in further)})"
                edits += tuple(edit for branch in further for edit in branch.loader.edits)
            branches.append(_Branch(loader, name, tail, edits))
        return branches

    def _laid_out(self, added: list[str], receiver: cst.BaseExpression) -> str:
        """Returns `.options(…)`, with a line for each option if one line would be too long for them."""
        at = self.statement.span(receiver)[1]
        code = f".options({', '.join(added)})"
        line = self.file.text[self.file.starts[self.file.line_of(at) - 1] : at]
        if len(line) + len(code) <= LONGEST_LINE or any(isinstance(above, cst.FormattedString) for above in self.statement.ancestors(receiver)):
            return code
        indentation = line[: len(line) - len(line.lstrip())]
        further = indentation + ("\t" if indentation.startswith("\t") else "    ")
        lines = "".join(f"{self.file.newline}{further}{option}," for option in added)
        return f".options({lines}{self.file.newline}{indentation})"

    def _given(self) -> cst.List | cst.Tuple | Refusal | None:
        """Returns the options that `session.get()` gets, None if it gets none."""
        arguments = self.place.call.args if self.place.call is not None else ()
        value = next((argument.value for argument in arguments if argument.keyword is not None and argument.keyword.value == "options"), None)
        if value is None or (isinstance(value, (cst.List, cst.Tuple)) and value.elements):
            return value
        return Refusal("the options are no plain list")

    def _pass(self, call: cst.Call, given: cst.List | cst.Tuple | None, added: list[str]) -> list[Edit]:
        """Returns the edits that give options to `session.get()`."""
        if given is None:
            return append_argument(self.file, self.statement, call, [f"options=[{', '.join(added)}]"])
        last = given.elements[-1]
        comma = last.comma if isinstance(last.comma, cst.Comma) else None
        after = self.statement.span(comma)[0] + 1 if comma is not None else None
        return append_element(self.file, self.statement.span(last)[0], self.statement.outer(last.value)[1], after, added)

    def _write(self, path: Hops) -> list[Spelling] | Refusal:
        """Returns the class that each hop starts from, as the file writes it."""
        classes = [self.entity]
        for number, hop in enumerate(path):
            if hop.lazy in ("dynamic", "write_only"):
                return Refusal(f'`{hop.name}` is `lazy="{hop.lazy}"`, which cannot be loaded along')
            owner = path[number - 1].target if number else self.query.model
            if owner is None or (owner is not hop.model and owner.relation(hop.name) is None):
                return Refusal(f"`{hop.name}` belongs to a subclass of what the query selects")
            if number:
                spelling = spell_model(self.file, self.query.site.start, owner, self.schema)
                if isinstance(spelling, Refusal):
                    spelling = import_in_function(self.file, self.statement, self.query.site.start, owner)
                if isinstance(spelling, Refusal):
                    return spelling
                classes.append(spelling)
        return classes


def _in_order(edits: list[Edit]) -> list[Edit]:
    """Returns the edits with those that insert at one place made one, in their order: `….selectinload(B.c)`, and only then `, joinedload(A.d)`."""
    inserted: dict[tuple[str, int], str] = {}
    for edit in edits:
        if edit.start == edit.end:
            inserted[edit.path, edit.start] = inserted.get((edit.path, edit.start), "") + edit.content
    return [*(edit for edit in edits if edit.start < edit.end), *(Edit(path, at, at, text) for (path, at), text in inserted.items())]


def _loads(path: Hops, classes: list[str], plan: LoadPlan) -> list[str]:
    loads = []
    for hop, owner in zip(path, classes, strict=True):
        loads.append(f".{loader_of(hop, None, plan)}({owner}.{hop.name})")
        plan = below(plan, hop.name)
    return loads


def _read_options(statement: Statement, value: cst.BaseExpression, above: Option | None = None) -> Iterator[Option]:
    """Yields a loader option and those that it has of its own, whose paths begin with it."""
    chain = chain_of(statement, value)
    calls = [("", chain.root)] if isinstance(chain.root, cst.Call) else []
    calls += [(link.name, link.call) for link in chain.links if link.call is not None]
    path: list[str] = list(above.path) if above is not None else []
    loaders: list[str] = list(above.loaders) if above is not None else []
    plain = bool(calls)
    for name, call in calls:
        if not name:
            name = last_name(call.func)
        if name == "Load":
            continue
        if name not in _LOADERS:
            plain = False
        if name not in _LOADERS | _REFUSERS:
            continue
        path.extend(last_name(argument.value) if isinstance(argument.value, cst.Attribute) else "" for argument in call.args)
        # `joinedload(A.b, innerjoin=True)` and `joinedload(A.b)` are two ways to load it
        way = "" if any(argument.keyword is not None for argument in call.args) else name
        loaders.extend(way for _ in call.args)
    found = Option(value, tuple(path), plain and above is None and "" not in path, tuple(loaders))
    yield found
    for name, call in calls:
        for argument in call.args if name == "options" else ():
            yield from _read_options(statement, argument.value, found)
