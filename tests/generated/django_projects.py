"""Draws Django projects: models with options, and functions that walk over their rows in many ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.generated import passing
from tests.generated.layout import ARGUMENTS, BACKSLASHES, HANGING, INLINE, PARENTHESIZED, STYLES, Chain, FileLayout, Link, file_layouts, spell

Draw = Callable[[st.SearchStrategy], object]
PACKAGE = "library"


# ----------------------------------------------------------------------------------------------------------- models
@dataclass(frozen=True)
class Options:
    """What varies between the sets of models."""

    nullable: bool = False
    named: bool = True  # reverse relations have a related_name
    ordered: bool = False
    own_manager: bool = False
    inherited: bool = False  # a child model with a table of its own

    def reverse(self, name: str, model: str) -> str:
        """Returns the attribute of a reverse relation."""
        return name if self.named else f"{model.lower()}_set"


OPTIONS = (
    Options(),
    Options(nullable=True),
    Options(named=False, ordered=True),
    Options(nullable=True, named=False, own_manager=True),
    Options(inherited=True, ordered=True, own_manager=True),
    Options(nullable=True, inherited=True),
)


def models_of(options: Options) -> dict[str, str]:
    """Returns the files that do not vary from program to program."""
    null = ", null=True" if options.nullable else ""

    def related(name: str) -> str:
        return f', related_name="{name}"' if options.named else ""

    ordering = '\n    class Meta:\n        ordering = ["pk"]\n' if options.ordered else ""
    manager = "\n    objects = BookQuerySet.as_manager()\n" if options.own_manager else ""
    child = "\n\nclass Novel(Book):\n    chapters = models.IntegerField(default=1)\n" if options.inherited else ""
    text = f"""from django.db import models


class Country(models.Model):
    name = models.CharField(max_length=40)


class Author(models.Model):
    name = models.CharField(max_length=40)
    born = models.IntegerField()
    country = models.ForeignKey(Country, models.CASCADE{null}{related("authors")})
    teacher = models.ForeignKey("self", models.CASCADE, null=True{related("pupils")})

    @property
    def origin(self):
        return self.country.name if self.country else "?"
{ordering}

class Profile(models.Model):
    author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
    text = models.CharField(max_length=40)


class Tag(models.Model):
    word = models.CharField(max_length=40)


class BookQuerySet(models.QuerySet):
    def long(self):
        return self.filter(pages__gt=20)

    def with_tags(self):
        return self.prefetch_related("tags")


class Book(models.Model):
    title = models.CharField(max_length=40)
    pages = models.IntegerField()
    author = models.ForeignKey(Author, models.CASCADE{null}{related("books")})
    editor = models.ForeignKey(Author, models.CASCADE, null=True, related_name="edited")
    tags = models.ManyToManyField(Tag, related_name="books")
{manager}{ordering}
    def __str__(self):
        return f"{{self.title}} by {{self.author.name if self.author else '-'}}"

    @property
    def line(self):
        return f"{{self.title}} ({{self.editor.name if self.editor else '-'}})"


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE{related("reviews")})
    stars = models.IntegerField()
    by = models.ForeignKey(Author, models.CASCADE, null=True, related_name="+")
{child}"""
    return {f"{PACKAGE}/models.py": text, "fill.py": FILL.replace("NULLS", "2" if options.nullable else "0")}


FILL = """from library import models as m


def fill(rows):
    nulls = NULLS
    countries = [m.Country.objects.create(name=f"country {n}") for n in range((rows + 1) // 2)]
    authors = []
    for n in range(rows):
        country = None if nulls and n % 3 == nulls else countries[n % len(countries)]
        authors.append(m.Author.objects.create(name=f"author {n}", born=1900 + n % 3, country=country, teacher=authors[n // 2] if n else None))
    tags = [m.Tag.objects.create(word=f"tag {n}") for n in range(3)]
    for n, author in enumerate(authors):
        if n % 4 != 3:
            m.Profile.objects.create(author=author, text=f"profile {n}")
    kind = getattr(m, "Novel", m.Book)
    for n in range(rows + rows // 2):
        author = None if nulls and n % 4 == 3 else authors[(n * 2) % len(authors)]
        book = (kind if n % 2 else m.Book).objects.create(
            title=f"book {n}", pages=10 + n * 7 % 40, author=author, editor=authors[n % len(authors)] if n % 3 else None
        )
        book.tags.set(tags[: n % 4])
        for k in range(n % 3):
            m.Review.objects.create(book=book, stars=k + n % 2, by=authors[k % len(authors)] if k else None)
"""


# --------------------------------------------------------------------------------------------------------- accesses
def accesses_of(model: str, options: Options) -> list[str]:
    """Returns expressions of a row `{x}` of a model; those that fail for None do so on purpose."""
    book_set, review_set = options.reverse("books", "Book"), options.reverse("reviews", "Review")
    author_set, pupils = options.reverse("authors", "Author"), options.reverse("pupils", "Author")
    book = [
        "{x}.author.name",
        "{x}.author and {x}.author.name",
        "{x}.author.country.name",
        "{x}.author.origin",
        "{x}.editor.name if {x}.editor else None",
        "{x}.editor and {x}.editor.teacher and {x}.editor.teacher.name",
        "{x}.line",
        "str({x})",
        "{x}.author_id",
        "{x}.author.pk",
        "sorted(t.word for t in {x}.tags.all())",
        "[r.stars for r in {x}." + review_set + ".order_by('pk')]",
        "sum(r.stars for r in {x}." + review_set + ".all())",
        "sorted(str(r.by and r.by.name) for r in {x}." + review_set + ".all())",
        "{x}." + review_set + ".count()",
        "{x}.author.profile.text",
        "hasattr({x}.author, 'profile')",
        "describe({x})",
        "{x}.title",
    ]
    author = [
        "{x}.country.name",
        "{x}.country and {x}.country.name",
        "{x}.teacher.name if {x}.teacher else '-'",
        "{x}.teacher and {x}.teacher.country and {x}.teacher.country.name",
        "{x}.profile.text",
        "sorted(b.title for b in {x}." + book_set + ".all())",
        "sorted(str(b) for b in {x}." + book_set + ".all())",
        "sorted(t.word for b in {x}." + book_set + ".all() for t in b.tags.all())",
        "sorted(p.name for p in {x}." + pupils + ".all())",
        "{x}." + book_set + ".filter(pages__gt=20).count()",
        "len({x}." + book_set + ".all())",
        "{x}.name",
    ]
    review = [
        "{x}.book.title",
        "{x}.book.author and {x}.book.author.name",
        "{x}.by and {x}.by.name",
        "{x}.by.country.name if {x}.by and {x}.by.country else 0",
        "sorted(t.word for t in {x}.book.tags.all())",
        "str({x}.book)",
        "{x}.stars",
    ]
    country = ["sorted(a.name for a in {x}." + author_set + ".all())", "{x}.name", "{x}." + author_set + ".count()"]
    return {"Book": book, "Author": author, "Review": review, "Country": country, "Novel": book}[model]


def refinements_of(model: str) -> list[Link]:
    """Returns methods that give another queryset of rows."""
    common = [
        Link("all"),
        Link("order_by", ('"pk"',)),
        Link("order_by", ('"-pk"',)),
        Link("order_by"),
        Link("distinct"),
        Link("exclude", ("pk=1",)),
        Link("filter", ("pk__gt=0",)),
        Link("select_related", ("None",)),
        Link("prefetch_related", ("None",)),
        Link("select_for_update"),
        Link("reverse"),
        Link("using", ('"default"',)),
    ]
    book = [
        Link("filter", ("pages__gt=12", "author__isnull=False")),
        Link("filter", ('author__name="author 0"',)),
        Link("select_related", ('"author"',)),
        Link("select_related"),
        Link("select_related", ('"author"', '"editor__teacher"')),
        Link("prefetch_related", ('"tags"',)),
        Link("prefetch_related", ('"author"',)),
        Link("only", ('"title"',)),
        Link("only", ('"title"', '"author"')),
        Link("defer", ('"pages"',)),
        Link("defer", ('"author"',)),
        Link("annotate", ('n=Count("tags")',)),
        Link("alias", ('n=Count("tags")',)),
        Link("prefetch_related", ('Prefetch("tags", to_attr="labels")',)),
        Link("prefetch_related", ('Prefetch("tags", queryset=Tag.objects.order_by("-word"))',)),
        Link("distinct"),
    ]
    author = [
        Link("filter", ("born__lt=1902",)),
        Link("select_related", ('"country"',)),
        Link("select_related", ('"teacher"',)),
        Link("prefetch_related", ('"edited"',)),
        Link("defer", ('"country"',)),
        Link("annotate", ('n=Count("edited")',)),
    ]
    review = [
        Link("filter", ("stars__gte=1",)),
        Link("select_related", ('"book"',)),
        Link("only", ('"stars"', '"book"')),
        Link("prefetch_related", ('"by"',)),
    ]
    return common + {"Book": book, "Author": author, "Review": review, "Country": [], "Novel": book}[model]


ENDINGS = (
    None,
    None,
    None,
    None,
    Link("", (":3",)),
    Link("", ("1:",)),
    Link("iterator"),
    Link("iterator", ("chunk_size=2",)),
    Link("values_list", ('"pk"', "flat=True")),
    Link("none"),
)


# --------------------------------------------------------------------------------------------------------- programs
@st.composite
def querysets(draw: Draw, model: str, options: Options) -> Chain:
    """Draws a chain that gives rows of a model; a slice only of rows in a known order."""
    root = Chain(model, (Link("objects", None),))
    if model == "Book" and options.own_manager:
        root = root.then(*draw(st.sampled_from([(), (Link("long"),), (Link("with_tags"),)])))
    elif model == "Book" and draw(st.integers(0, 5)) == 0:
        root = Chain('Author.objects.order_by("pk")[0]', (Link(options.reverse("books", "Book"), None),))
    links = draw(st.lists(st.sampled_from(refinements_of(model)), max_size=3).filter(lambda found: not _is_refused(found)))
    ending = draw(st.sampled_from(ENDINGS))
    if ending is not None and not ending.name:
        links = [*links, Link("order_by", ('"pk"',))]
    if not root.links[1:] and not links and ending is None:
        links = [Link("all")]
    return root.then(*links, *([ending] if ending is not None else []))


def _is_refused(links: list[Link]) -> bool:
    """Whether Django refuses to fetch the rows of a chain: it joins a relation whose key it leaves out. Counting them would work."""
    joined: set[str] = set()
    kept: set[str] | None = None
    left_out: set[str] = set()
    for link in links:
        names = {argument.strip('"').partition("__")[0] for argument in link.arguments or ()}
        if link.name == "select_related":
            joined = joined | names if names != {"None"} else set()
        elif link.name == "only":
            kept, left_out = names, set()
        elif link.name == "defer":
            left_out |= names
    return bool(joined & left_out) or (kept is not None and bool(joined - (kept - left_out)))


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
        return "django"


HEADER = """from django.db.models import Count, F, Prefetch

from library import rows
from library.models import {models}


def describe(book):
    return f"{{book.title}}/{{book.editor.name if book.editor else 0}}"

"""


@st.composite
def programs(draw: Draw) -> Program:
    """Draws a program of a few functions."""
    options = draw(st.sampled_from(OPTIONS))
    names = ["Book", "Author", "Review", "Country", *(["Novel"] if options.inherited else [])]
    helpers: list[str] = []
    drawn = st.sampled_from([cases_of, cases_of, passing_cases_of])
    cases = [draw(draw(drawn)(options, names, number, helpers)) for number in range(draw(st.integers(1, 4)))]
    imported = f"from library.models import {', '.join([*names, 'Tag'])}\n"
    layout = draw(file_layouts())
    report = HEADER.format(models=", ".join([*names, "Profile", "Tag"])) + "\n".join(cases)
    rows = (
        "from functools import cached_property, lru_cache\n\nfrom django.db.models import Count, F, Prefetch\n\n"
        + imported
        + "\n\n"
        + "\n\n".join(helpers)
    )
    return Program(options, {f"{PACKAGE}/report.py": layout.applied(report), f"{PACKAGE}/rows.py": FileLayout(crlf=layout.crlf).applied(rows)})


@st.composite
def cases_of(draw: Draw, options: Options, names: list[str], number: int, helpers: list[str]) -> str:
    """Draws one function `case_…`."""
    model = draw(st.sampled_from(names))
    chain = draw(querysets(model, options))
    source, before, is_queryset = draw(_sources(chain, number, helpers))
    flat = chain.links[-1].name == "values_list"
    wanted = st.sampled_from(["{x}"] if flat else accesses_of(model, options))
    paths = draw(st.lists(wanted, min_size=1, max_size=3, unique=True))
    is_queryset = is_queryset and not flat and chain.links[-1].name != "iterator"
    ordered = any(link.arguments in (('"pk"',), ('"-pk"',)) for link in chain.links[-2:])
    return f"def case_{number}():\n" + before + draw(_consumers(source, paths, model, ordered, is_queryset))


WORDS = passing.Words("pk", (".all()", ".filter(pk__gt=1)", '.order_by("pk")', ".exclude(pk=2)", ".order_by('pk')[:4]"))


@st.composite
def passing_cases_of(draw: Draw, options: Options, names: list[str], number: int, helpers: list[str]) -> str:
    """Draws functions `case_…` about one query, or two queries of different models, on their way through functions and objects."""
    models = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    words = WORDS
    queries, reads = [], []
    for model in models:
        chain = draw(querysets(model, options))
        while chain.links[-1].name in ("iterator", "values_list"):
            chain = Chain(chain.root, chain.links[:-1])
        if not chain.links[1:]:
            chain = chain.then(Link("all"))
        if not chain.links[-1].name or any(link.name == "none" for link in chain.links):
            words = passing.Words("pk", ())
        queries.append(spell(chain, draw(st.sampled_from([INLINE, PARENTHESIZED, HANGING])), "    "))
        reads.append([access for access in accesses_of(model, options) if "describe(" not in access])
    if len(models) == 2:
        return draw(passing.of_two_models(number, [query.replace("\n", "") for query in queries], reads, "", words, helpers))
    return draw(passing.cases(number, queries[0], reads[0], "", words, helpers))


@st.composite
def _sources(draw: Draw, chain: Chain, number: int, helpers: list[str]) -> tuple[str, str, bool]:
    """Draws how the loop gets at the rows: the expression, and the statements before it, and whether it is a queryset still."""
    style = draw(st.sampled_from(STYLES))
    text = spell(chain, style, "    ")
    final = chain.links[-1].name in ("", "iterator", "values_list")
    match draw(st.sampled_from(["direct", "variable", "same line", "helper", "file", "refined", "condition", "list", "parameter"])):
        case "direct":
            inside = style if style in (INLINE, PARENTHESIZED, HANGING, ARGUMENTS) else INLINE
            return spell(chain, inside, "    "), "", True
        case "same line" if style in (INLINE, PARENTHESIZED, BACKSLASHES):
            return "found", f'    word = "über"; found = {text}\n', True
        case "helper":
            helpers.append(f"def rows_{number}():\n    return {text}\n")
            return f"rows.rows_{number}()", "", True
        case "file" if not final:
            helpers.append(f"def rows_{number}():\n    found = {text}\n    return found.filter(pk__lt=100)\n")
            return f"rows.rows_{number}()", "", True
        case "refined" if not final:
            return "found", f"    found = {text}\n    found = found.exclude(pk=2)  # not that one\n", True
        case "condition" if not final:
            return (
                "found",
                f"    found = {text}\n    if rows.{chain.root.split('.')[0]}.objects.count() > 2:\n        found = found.filter(pk__gt=1)\n",
                True,
            )
        case "list":
            return "found", f"    found = list({text})\n", False
        case "parameter":
            helpers.append(f"def rows_{number}(found):\n    return [row for row in found]\n")
            return f"rows.rows_{number}({spell(chain, INLINE, '')})", "", False
        case _:
            return "found", f"    found = {text}\n", True


AGAIN = (
    *[""] * 6,
    "    print({s}.count())\n",
    "    print(len({s}))\n",
    "    print(bool({s}))\n",
    "    for {x} in {s}:\n        print({x}.pk)\n",
    "    print({s}.first())\n",
    "    print({s}.filter(pk=2).exists())\n",
    "    print({s}.order_by('pk').first() in {s})\n",
    "    print({model}.objects.filter(pk__in={s}).count())\n",
    "    print({s}.union({s}).count())\n",
    "    print(({s} | {model}.objects.all()).count())\n",
    "    print({s}.update(pk=F('pk')))\n",
    "    print(sorted({s}.values_list('pk', flat=True)))\n",
    "    print({s}.aggregate(Count('pk')))\n",
    "    print(sorted({s}.in_bulk()))\n",
)
# a test for rows that are loaded anyway, or on some ways only, or asked for again behind both
TESTED = (
    "    if {s}.exists():\n        for {x} in {s}:\n            print({reads})\n",
    "    if not {s}.exists():\n        print('none')\n        return\n    for {x} in {s}:\n        print({reads})\n",
    "    if {s}.exists():\n        print([({reads},) for {x} in {s}])\n    else:\n        print({s}.count())\n",
    "    print([({reads},) for {x} in {s}] if {s}.exists() else 'none')\n",
    "    if {s}.exists():\n        for {x} in {s}:\n            print({reads})\n"
    "    Country.objects.create(name='new')\n    print({s}.count(), len({s}))\n",
    "    if not {s}.exists():\n        Country.objects.create(name='new')\n    for {x} in {s}:\n        print({reads})\n",
    "    if {s}.exists() and len('few') > 3:\n        print(sorted(str(({reads},)) for {x} in {s}))\n",
    "    held = {s}\n    if {s}.exists():\n        for {x} in {s}:\n            print({reads})\n"
    "    print(Country.objects.create(name='new') and len(held))\n",
    "    if {s}.exists():\n        if len('few') < 4:\n            return\n        for {x} in {s}:\n            print({reads})\n",
)
CHANGES = (
    "{x}.refresh_from_db()",
    "{x}.save()",
    "{x}.pk and {model}.objects.filter(pk={x}.pk).update(pk=F('pk'))",
    "del {x}",
)


@st.composite
def _consumers(draw: Draw, source: str, paths: list[str], model: str, ordered: bool, is_queryset: bool) -> str:
    """Draws the statements that walk over the rows and print."""
    row = draw(st.sampled_from(["row", "x", "each"]))
    reads = ", ".join(path.format(x=row) for path in paths)
    again = draw(st.sampled_from(AGAIN)).format(s=source, x=row, model=model) if source == "found" and is_queryset else ""
    match draw(st.integers(0, 18)):
        case 0 | 1:
            body = f"    for {row} in {source}:\n        print({reads})\n"
        case 2:
            body = f"    for {row} in {source}: print({reads})\n"
        case 3:
            body = f"    print(sorted(str(({reads},)) for {row} in {source}))\n"
        case 4:
            body = f"    for {row} in {source}:\n        if {row}.pk > 1:\n            print({reads})\n"
        case 5:
            body = f"    for {row} in {source}:\n        print({reads})\n    else:\n        print('all')\n    if {source} is None: print({row})\n"
        case 6:
            body = f"    found = {source}\n    if found:\n        for {row} in found:\n            print({reads})\n"
        case 7 if is_queryset:
            body = f"    got = {source}\n    if got.count() > 0:\n        for {row} in got:\n            print({reads})\n"
        case 8:
            body = f"    print([({reads},) for {row} in {source} if {row}.pk != 2])\n"
        case 9:
            append = f'lines.append(f"{{number}} {{({reads},)}}")'
            body = f"    lines = []\n    for number, {row} in enumerate({source}):\n        {append}\n    print(*lines)\n"
        case 10 if ordered:
            body = f"    for {row} in {source}:\n        print({reads})\n        if {row}.pk == 3:\n            break\n"
        case 11 if is_queryset:
            body = f"    print(len({source}), bool({source}))\n"
        case 14:
            body = f"    print(sum({row}.pk for {row} in {source}), max(({row}.pk for {row} in {source}), default=0))\n"
        case 12:
            change = draw(st.sampled_from(CHANGES)).format(x=row, model=model)
            body = f"    for {row} in {source}:\n        print({reads})\n        {change}\n"
        case 13:
            change = draw(st.sampled_from(CHANGES[:3])).format(x=row, model=model)
            body = f"    for {row} in {source}:\n        {change}\n        print({reads})\n"
        case 16 | 17 | 18 if is_queryset:
            name, made = (source, "") if source == "found" else ("got", f"    got = {source}\n")
            body = made + draw(st.sampled_from(TESTED)).format(s=name, x=row, reads=reads)
        case _:
            body = f"    found = {source}\n    print(len(found))\n    for {row} in found:\n        print({reads})\n"
    return body + again
