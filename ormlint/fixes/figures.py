"""A figure of a collection that a loop asks of row after row, computed along with the rows.

for author in Author.objects.all():         for author in Author.objects.annotate(books_count=Count("books")):
    print(author.books.count())                 print(author.books_count)

`Count` joins: where the query joins or counts other rows already, each would multiply the other, and a subquery counts instead.
"""

from __future__ import annotations

import re

import libcst as cst

from ormlint.fixes.chain import chain_of, insert_links, quote_for
from ormlint.fixes.django_loads import SHORTCUTS, methods_of
from ormlint.fixes.imports import Refusal, Spelling, in_one_statement, spell_import, spell_model
from ormlint.fixes.keys import loops_around
from ormlint.fixes.source import SourceFile, Sources
from ormlint.fixes.statement import Statement
from ormlint.fixes.walk import binds
from ormlint.fixes.walked import OTHER_ROWS, names_taken, returns_only, variable_of, walks
from ormlint.judge.finding import AnnotateFigure, Applicability, Fix
from ormlint.link.schema import Schema
from ormlint.run.log import Loop
from ormlint.text import Edit, Site

_REASON = "the figure is computed for everybody who fetches these rows, and tells how it was when they were fetched"
_PAGE = "a page that is given other rows shows nothing there"
_OTHERWISE = Refusal("the figure is asked for in another way")


def annotate_figure(sources: Sources, intent: AnnotateFigure, schema: Schema) -> Fix | None:
    """Returns the fix, a display-only one if a place cannot be changed for sure, None if the query is not found."""
    file, statement = sources.file(intent.home), sources.statement(intent.home)
    node = statement.expression(intent.home.start, intent.home.end) if statement is not None else None
    if file is None or statement is None or node is None:
        return None
    made = _fix(sources, file, statement, node, intent, schema)
    if isinstance(made, Refusal):
        return Fix(Applicability.DISPLAY, "compute it with the query of the rows", (), made.reason)
    return made


def _fix(sources: Sources, file: SourceFile, statement: Statement, node: cst.BaseExpression, intent: AnnotateFigure, schema: Schema) -> Fix | Refusal:
    name = _fresh(sources, intent)
    if name is None:
        return Refusal("no name for the figure is free")
    variable = variable_of(statement, node)
    if isinstance(variable, Refusal) or not _is_given_queries(sources, statement, node, intent):
        return variable if isinstance(variable, Refusal) else Refusal(OTHER_ROWS)
    reads: list[Edit] = []
    for site, loop in intent.reads:
        page = sources.page(site)
        if page is not None:
            read = _on_page(page, site, loop, intent, name)
        elif sources.statement(site) is not statement:
            return Refusal("the rows are walked in another function than the one that makes the query")
        else:
            read = _in_code(file, statement, (node, variable), site, intent, name)
        if isinstance(read, Refusal):
            return read
        reads.append(read)
    chain = chain_of(statement, node)
    start, end = methods_of(chain)
    if isinstance(chain.root, cst.Call) and isinstance(chain.root.func, cst.Name) and chain.root.func.value in SHORTCUTS:
        return Refusal("the rows come from a shortcut: give it a query that computes the figure")
    if min(end, chain.inner) == 0 and not isinstance(chain.root, cst.Call):
        return Refusal("the query does not begin at a manager")
    figure = _figure(file, intent, schema, quote_for(file, statement, chain))
    if isinstance(figure, Refusal):
        return figure
    link = f".annotate({name}={figure.text})"
    edits = [*insert_links(file, statement, chain, max(start, min(end, chain.inner)), [link]), *figure.edits, *reads]
    reason = f"{_REASON}; {_PAGE}" if any(sources.page(site) is not None for site, _ in intent.reads) else _REASON
    return Fix(Applicability.UNSAFE, f"add `{link}` to the query, and read `{name}`", tuple(edits), reason)


# ----------------------------------------------------------------------------------------------------------- the figure
def _figure(file: SourceFile, intent: AnnotateFigure, schema: Schema, quote: str) -> Spelling | Refusal:
    """Returns the expression for the figure, with the imports that it needs."""
    relation, target = intent.relation, intent.relation.target
    assert target is not None
    offset = intent.home.start
    if intent.method == "count" and intent.alone and target.has_plain_manager:
        return _spelled([spell_import(file, offset, "django.db.models", "Count")], f"{{}}({quote}{relation.query_name or relation.name}{quote})")
    inverse = relation.inverse
    if inverse is None or inverse.to_field or not target.has_objects:
        return Refusal(f"the rows of `{target.name}` cannot be asked for by the row that they belong to")
    lookup = inverse.query_name or inverse.name
    model = spell_model(file, offset, target, schema)
    names = ["OuterRef", "Exists"] if intent.method == "exists" else ["OuterRef", "Count", "Subquery"]
    parts = [model, *(spell_import(file, offset, "django.db.models", name) for name in names)]
    if intent.method == "exists":
        return _spelled(parts, f"{{2}}({{0}}.objects.filter({lookup}={{1}}({quote}pk{quote})))")
    counted = f"{{0}}.objects.filter({lookup}={{1}}({quote}pk{quote})).order_by().values({quote}{lookup}{quote})"
    counted = f"{{3}}({counted}.annotate(number={{2}}({quote}pk{quote})).values({quote}number{quote}))"
    return _spelled([*parts, spell_import(file, offset, "django.db.models.functions", "Coalesce")], f"{{4}}({counted}, 0)")


def _spelled(parts: list[Spelling | Refusal], form: str) -> Spelling | Refusal:
    known: list[Spelling] = []
    for part in parts:
        if isinstance(part, Refusal):
            return part
        known.append(part)
    edits = in_one_statement([edit for part in known for edit in part.edits])
    return Spelling(form.format(*(part.text for part in known)), tuple(edits))


def _fresh(sources: Sources, intent: AnnotateFigure) -> str | None:
    """Returns a name for the figure that the rows have not, and that nobody gives them, as far as the files that matter tell."""
    model = intent.query.model
    assert model is not None
    relation = intent.relation.name.removesuffix("_set")
    wanted = [f"{relation}_count", f"number_of_{relation}"] if intent.method == "count" else [f"has_{relation}", f"{relation}_exist"]
    places = [intent.home, model.site, *(base.site for base in model.bases), *(site for site, _ in intent.reads)]
    texts = {place.path: file.text for place in places if (file := sources.file(place) or sources.page(place)) is not None}
    taken = names_taken(intent.query, model)
    return next((name for name in wanted if name not in taken and not any(_is_given(name, text) for text in texts.values())), None)


def _is_given(name: str, text: str) -> bool:
    """Whether a file assigns an attribute, or gives an argument, of a name."""
    return re.search(rf"""\b{name}\s*=(?!=)|["']{name}["']\s*,""", text) is not None


# ------------------------------------------------------------------------------------------------------------ its readers
def _on_page(page: SourceFile, site: Site, loop: Loop, intent: AnnotateFigure, name: str) -> Edit | Refusal:
    """Returns the edit of a template: `{{ author.books.count }}` becomes `{{ author.books_count }}`."""
    form = rf"(\w+)\.{re.escape(intent.relation.name)}(?:\.all(?:\(\))?)?\.{intent.method}(?:\(\))?"
    written = re.fullmatch(form, page.text[site.start : site.end])
    if written is None or written[1] != loop.variable:
        return _OTHERWISE
    return page.edit(site.start + written.end(1) + 1, site.end, name)


def _in_code(
    file: SourceFile, statement: Statement, query: tuple[cst.BaseExpression, str], site: Site, intent: AnnotateFigure, name: str
) -> Edit | Refusal:
    """Returns the edit of a call, if the loop around it surely walks the rows of the query."""
    call = statement.expression(site.start, site.end)
    match call:
        case cst.Call(func=cst.Attribute(value=collection, attr=cst.Name(value=method)), args=[]):
            pass
        case _:
            return _OTHERWISE
    match collection:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="all")), args=[]):
            collection = inner
    match collection:
        case cst.Attribute(value=cst.Name(value=row), attr=cst.Name(value=asked)) if asked == intent.relation.name:
            pass
        case _:
            return _OTHERWISE
    whole: cst.BaseExpression = call
    if method != intent.method:  # `await author.books.acount()`
        above = statement.parent(call)
        if not isinstance(above, cst.Await) or call.lpar:
            return _OTHERWISE
        whole = above
    loop = next(iter(loops_around(statement, call, row)), None)
    if loop is None or statement.function(call) is not statement.function(loop) or binds(loop, row) > 1 or not walks(statement, loop, *query):
        return Refusal(OTHER_ROWS)
    if "#" in statement.code(whole):
        return Refusal("a comment stands in the expression")
    return file.edit(*statement.span(whole), f"{row}.{name}")


def _is_given_queries(sources: Sources, statement: Statement, home: cst.BaseExpression, intent: AnnotateFigure) -> bool:
    """Whether the function that makes a query returns nothing else, if it is changed where that function is called."""
    site = intent.query.site
    own = sources.statement(site)
    made = own.expression(site.start, site.end) if own is not None else None
    if own is None or made is None:
        return False
    function = own.function(made)
    if own is statement and function is statement.function(home):
        return True
    return isinstance(function, cst.FunctionDef) and own.function(function) is None and returns_only(own, function, made)
