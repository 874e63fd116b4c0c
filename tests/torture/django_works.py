"""A piece of work for every fixer of Django programs."""

from __future__ import annotations

from tests.generated.layout import Chain, Link
from tests.torture.work import ADMIN, DECLARED, Gain, Work

PACKAGE = "library"
MODELS = ("Author", "Book", "Review", "Tag")


def _rows(model: str, *links: Link) -> Chain:
    return Chain(model, (Link("objects", None), *links, Link("order_by", ('"pk"',))))


_BOOKS = _rows("Book", Link("filter", ("pages__gt=0",)))
_PREFETCHED = _rows("Book", Link("filter", ("pages__gt=0",)), Link("prefetch_related", ('"tags"',)))
_NO_PREFETCH = (
    ("iterator", "`iterator()` needs a `chunk_size` before it can prefetch"),
    ("async function", "the rows are awaited by another fix, and no event loop runs"),
)
_FOUND = _rows("Book", Link("filter", ("reviews__stars__gte=0",)))
_UNORDERED = Chain("Book", (Link("objects", None), Link("filter", ("pages__gt=0",)), Link("exclude", ("pages=0",))))
_PAGES = "print(list(Book.objects.order_by('pk').values_list('title', 'pages')))"
_NONE = Chain("")
_AWAITED = "another fixer has the statement awaited, which takes an event loop"

_LOADS = (
    Work("join", ("ORM101",), _BOOKS, "for book in {q}:\n    print(book.title, book.author.name)", "book"),
    Work("join of two", ("ORM101",), _BOOKS, "for book in {q}:\n    print(book.title, book.author.country.name)", "book"),
    Work("prefetch", ("ORM102",), _BOOKS, "for book in {q}:\n    print(book.title, sorted(tag.word for tag in book.tags.all()))", "book"),
    Work(
        "join and prefetch",
        ("ORM101", "ORM102"),
        _BOOKS,
        "for book in {q}:\n    print(book.author.name)\n    print(sorted(tag.word for tag in book.tags.all()))",
        "book",
    ),
    Work(
        "prefetch behind a join",
        ("ORM102",),
        _BOOKS,
        "for book in {q}:\n    print(sorted(other.title for other in book.author.books.all()))",
        "book",
    ),
    Work(
        "prefetch of chosen rows",
        ("ORM102",),
        _BOOKS,
        'for book in {q}:\n    print(book.title, [tag.word for tag in book.tags.filter(word="tag 1").order_by("pk")])',
        "book",
    ),
    Work(
        "Prefetch",
        ("ORM101",),
        _rows("Review"),
        'for book in Book.objects.prefetch_related(Prefetch("reviews", queryset={q})):\n'
        "    for review in book.reviews.all():\n        print(review.stars, review.by.name if review.by else None)",
        imports="from django.db.models import Prefetch",
        unfit=(("values", "a `Prefetch` takes no dicts"),),
    ),
    Work("figure", ("ORM119",), _BOOKS, "for book in {q}:\n    print(book.title, book.tags.count())", "book"),
    Work("figure by a subquery", ("ORM119",), _FOUND, "for book in {q}:\n    print(book.title, book.tags.count())", "book"),
    Work("figure of existence", ("ORM119",), _BOOKS, "for book in {q}:\n    print(book.title, not book.tags.exists() or 1)", "book"),
    Work(
        "figure in a template",
        ("ORM119",),
        _BOOKS,
        'print(render(RequestFactory().get("/"), "figures{n}.html", {"books": {q}}).content.decode())',
        imports="from django.shortcuts import render\nfrom django.test import RequestFactory",
        files=(("templates/figures{n}.html", "{% for book in books %}{{ book.title }}: {{ book.tags.count }}\n{% endfor %}"),),
        unfit=(("values", "a dict has no tags"),),
    ),
    Work(
        "class attribute",
        ("ORM101",),
        _BOOKS,
        "for book in Shelf().get_queryset():\n    print(book.title, book.author.name)",
        "book",
        above="class Shelf(ListView):\n    queryset = {q}",
        imports="from django.views.generic import ListView",
    ),
    Work(
        "manager",
        ("ORM101",),
        Chain("self", (Link("filter", ("pages__gt=0",)), Link("order_by", ('"pk"',)))),
        "for book in Stock{n}.objects.wanted():\n    print(book.title, book.author.name)",
        "book",
        above="class StockManager(models.Manager):\n    def wanted(self):\n        return {q}\n\n\n"
        'class Stock{n}(Book):\n    objects = StockManager()\n\n    class Meta:\n        proxy = True\n        app_label = "library"',
        imports="from django.db import models",
    ),
    Work(
        "serializer",
        ("ORM106",),
        _BOOKS,
        "print([dict(row) for row in BookSerializer({q}, many=True).data])",
        above="class BookSerializer(serializers.Serializer):\n    title = serializers.CharField()\n"
        '    author = serializers.CharField(source="author.name")',
        imports="from rest_framework import serializers",
    ),
    Work(
        "template",
        ("ORM107",),
        _BOOKS,
        'print(render(RequestFactory().get("/"), "books{n}.html", {"books": {q}}).content.decode())',
        imports="from django.shortcuts import render\nfrom django.test import RequestFactory",
        files=(("templates/books{n}.html", "{% for book in books %}{{ book.title }} by {{ book.author.name }}\n{% endfor %}"),),
        unfit=(("values", "a dict has no author"),),
    ),
    Work(
        "form choices",
        ("ORM112",),
        _BOOKS,
        'print(render(RequestFactory().get("/"), "form{n}.html", {"form": Choice()}).content.decode())',
        above="class BookField(forms.ModelChoiceField):\n    def label_from_instance(self, book):\n        return book.author.name\n\n\n"
        "class Choice(forms.Form):\n    book = BookField(queryset={q})",
        imports="from django import forms\nfrom django.shortcuts import render\nfrom django.test import RequestFactory",
        files=(("templates/form{n}.html", "{{ form.as_p }}\n"),),
        unfit=(("values", "a dict has no author"),),
    ),
)
_QUESTIONS = (
    Work("len", ("ORM201",), _BOOKS, "print(len({q}))", gain=Gain.ROWS),
    Work("len test", ("ORM201",), _BOOKS, "if len({q}) > 0:\n    print('some')", gain=Gain.ROWS),
    Work("count test", ("ORM202",), _BOOKS.then(Link("count")), "if {q} > 0:\n    print('some')", gain=Gain.ROWS),
    Work("truth test", ("ORM203",), _BOOKS, "if {q}:\n    print('some')", gain=Gain.ROWS),
    Work(
        "kept rows",
        ("ORM204",),
        _BOOKS,
        "books = {q}\nif books.exists():\n    for book in books:\n        print(book.title)",
    ),
    Work(
        "kept row",
        ("ORM204",),
        _BOOKS,
        "books = {q}\nif books.exists():\n    found = books.first()\n    print(found.title)",
    ),
    Work(
        "kept count",
        ("ORM205",),
        _BOOKS,
        "books = {q}\nprint(books.count(), 'books')\nfor book in books:\n    print(book.title)",
        unfit=(("iterator", "an iterator has no `count()`"),),
    ),
    Work("answer", ("ORM206",), _BOOKS.then(Link("count")), "print({q}, 'books')\nprint({q}, 'again')"),
    Work("answer of rows", ("ORM206",), _BOOKS, "for book in {q}:\n    print(book.title)\nprint([book.pages for book in {q}])"),
    Work(
        "ask before",
        ("ORM104",),
        _BOOKS,
        "for name in Author.objects.order_by('pk').values_list('name', flat=True):\n    print(name, [book.title for book in {q}])",
        "name",
    ),
    Work(
        "deferred column",
        ("ORM109",),
        _rows("Book", Link("filter", ("pages__gt=0",)), Link("only", ('"title"',))),
        "for book in {q}:\n    print(book.title, book.pages)",
        "book",
        unfit=(
            ("defer", "all columns are loaded where `defer()` names all that `only()` does"),
            ("select_related(…)", "a relation whose key is left out cannot be joined"),
            ("async function", _AWAITED),
        ),
    ),
    Work(
        "unread load",
        ("ORM116",),
        _rows("Book", Link("filter", ("pages__gt=0",)), Link("prefetch_related", ('"tags"',))),
        "for book in {q}:\n    print(book.title)",
        "book",
        unfit=(
            ("iterator", "`iterator()` needs a `chunk_size` before it can prefetch"),
            ("async function", _AWAITED),
            ("async for", "the program is right as it is"),
            ("Prefetch(to_attr=…)", "nothing reads that relation either"),
        ),
    ),
    Work(
        "unread join",
        ("ORM116",),
        _rows("Book", Link("select_related", ('"author"', '"editor"'))).then(Link("count")),
        "print({q})",
        gain=Gain.ROWS,
        unfit=(("Prefetch(to_attr=…)", "nothing reads that relation either"),),
    ),
    Work(
        "prefetched column",
        ("ORM105",),
        _PREFETCHED,
        'for book in {q}:\n    print(book.title, sorted(book.tags.values_list("word", flat=True)))',
        "book",
        unfit=_NO_PREFETCH,
    ),
    Work(
        "prefetched rows",
        ("ORM105",),
        _PREFETCHED,
        'for book in {q}:\n    print(book.title, [tag.word for tag in book.tags.filter(word="tag 1")], book.tags.order_by("word").last())',
        "book",
        unfit=_NO_PREFETCH,
    ),
    Work("copy", ("ORM214",), _BOOKS, "for book in list({q}):\n    print(book.title)", "book", gain=Gain.ROWS),
    Work("one of all", ("ORM208",), _BOOKS, "book = list({q})[0]\nprint(book.title)", gain=Gain.ROWS),
    Work("subquery", ("ORM213",), _BOOKS, "print(Review.objects.filter(book__in=list({q})).count())"),
    Work(
        "awaited rows",
        ("ORM601",),
        _BOOKS,
        "async def titles():\n    for book in {q}:\n        print(book.title)\n\nasync_to_sync(titles)()",
        imports="from asgiref.sync import async_to_sync",
        gain=Gain.REPAIR,
        unfit=(
            ("defer", "the program itself reads the column that is left out"),
            ("evaluated before", "the program itself prints rows, whose texts ask for their authors"),
        ),
    ),
    Work(
        "awaited function",
        ("ORM601",),
        _BOOKS,
        "async def titles():\n    tag = Tag.objects.order_by('pk').first()  # if any\n    for book in {q}:\n        print(book.title)\n"
        "    number = Tag.objects.count()\n    print(tag, number)\n\nasync_to_sync(titles)()",
        imports="from asgiref.sync import async_to_sync",
        gain=Gain.REPAIR,
        unfit=(
            ("defer", "the program itself reads the column that is left out"),
            ("evaluated before", "the program itself prints rows, whose texts ask for their authors"),
            ("one-line suites", "a function of several statements has no room on a line"),
        ),
    ),
    Work(
        "awaited row",
        ("ORM601",),
        _BOOKS.then(Link("first")),
        "async def shown():\n    found = {q}\n    print(found.title if found else None)\n\nasync_to_sync(shown)()",
        imports="from asgiref.sync import async_to_sync",
        gain=Gain.REPAIR,
        unfit=(
            ("sliced", "a row is no list"),
            ("iterator", "a row is no list"),
            ("evaluated before", "a row is no list"),
            ("defer", "the program itself reads the column that is left out"),
        ),
    ),
    Work("sieve", ("ORM211",), _BOOKS, "for book in {q}:\n    if book.pages < 3:\n        continue\n    print(book.title)", "book", gain=Gain.ROWS),
    Work("sieve of a body", ("ORM211",), _BOOKS, "for book in {q}:\n    if book.pages > 2:\n        print(book.title)", "book", gain=Gain.ROWS),
    Work(
        "sieve of a comprehension",
        ("ORM211",),
        _BOOKS,
        "print([(book.title, book.pages) for book in {q} if book.pages != 3])",
        gain=Gain.ROWS,
        unfit=(("walrus", "Python has no `:=` in the rows of a comprehension"),),
    ),
    Work(
        "block",
        ("ORM614",),
        _BOOKS,
        "for book in {q}:\n    with transaction.atomic():\n        Book.objects.filter(pk=book.pk).update(pages=7)\n" + _PAGES,
        "book",
        imports="from django.db import transaction",
        gain=Gain.ROWS,
        unfit=(("async for", "a transaction does not work in asynchronous code"),),
    ),
    Work("column", ("ORM404",), _BOOKS, "print([book.pages for book in {q}])", gain=Gain.ROWS),
    Work(
        "parts",
        ("ORM403",),
        _BOOKS,
        "for book in {q}:\n    print(book.pk, book.title, book.pages, book.author_id, book.editor_id)",
        "book",
        gain=Gain.ROWS,
        place="tasks",
    ),
    Work(
        "parts and prefetch",
        ("ORM102", "ORM403"),
        _BOOKS,
        "for book in {q}:\n    print(book.pk, book.title, book.pages, book.author_id, book.editor_id)\n"
        "    print(sorted(tag.word for tag in book.tags.all()))",
        "book",
        place="tasks",
    ),
    Work("aggregate", ("ORM210",), _BOOKS, "total = sum(book.pages for book in {q})\nprint(total)", gain=Gain.ROWS),
    Work("key", ("ORM110",), _BOOKS, "for book in {q}:\n    print(book.title, book.author.pk)", "book"),
    Work(
        "tested key",
        ("ORM110",),
        _BOOKS,
        "for book in {q}:\n    print(book.title, book.editor.pk if book.editor else None)",
        "book",
        unfit=(("select_related(…)", "the query joins that very relation"),),
    ),
    Work("contains", ("ORM207",), _BOOKS, "book = Book(pk=2)\nprint(book in {q})", gain=Gain.ROWS),
    Work("contains not", ("ORM207",), _BOOKS, "if Book(pk=2) not in {q} and 1:\n    print('no')", gain=Gain.ROWS),
    Work(
        "contains a value",
        ("ORM207",),
        _BOOKS.then(Link("values_list", ('"title"', "flat=True"))),
        "print('book 2' in {q})",
        gain=Gain.ROWS,
        unfit=(("values", "the values are chosen once"),),
    ),
    Work(
        "order",
        ("ORM412",),
        _UNORDERED,
        "for book in Paginator({q}, 4).page(1):\n    print(book.title)",
        imports="from django.core.paginator import Paginator",
        gain=Gain.ROWS,
    ),
    Work(
        "truth of a manager",
        ("ORM220",),
        _NONE,
        "if Book.objects:\n    print('some')\nelse:\n    print('none')",
        gain=Gain.REPAIR,
        lacks="a manager is tested",
    ),
    Work(
        "chunk_size",
        ("ORM118",),
        Chain("Book", (Link("objects", None), Link("prefetch_related", ('"tags"',)), Link("order_by", ('"pk"',)), Link("iterator"))),
        "for book in {q}:\n    print(book.title, sorted(tag.word for tag in book.tags.all()))",
        "book",
        gain=Gain.REPAIR,
    ),
    Work(
        "discarded load",
        ("ORM118",),
        _BOOKS,
        'books = {q}\nbooks.select_related("author")\nfor book in books:\n    print(book.title)',
        "book",
        gain=Gain.ROWS,
        unfit=(("iterator", "an iterator has no `select_related()`"),),
    ),
    Work(
        "distinct",
        ("ORM507",),
        _rows("Author", Link("annotate", ('written=Count("books")', 'edits=Count("edited")'))),
        "for author in {q}:\n    print(author.name, author.written, author.edits)",
        "author",
        imports="from django.db.models import Count",
        gain=Gain.REPAIR,
    ),
)
_WRITES = (
    Work("bulk update", ("ORM301",), _BOOKS, f"for book in {{q}}:\n    book.pages = book.pages + 1\n    book.save()\n{_PAGES}", "book"),
    Work("update", ("ORM301",), _BOOKS, f"for book in {{q}}:\n    book.pages = 7\n    book.save()\n{_PAGES}", "book"),
    Work("delete", ("ORM303",), _rows("Review"), "for review in {q}:\n    review.delete()\nprint(Review.objects.count())", "review"),
    Work(
        "bulk create",
        ("ORM302",),
        _rows("Author"),
        f"for author in {{q}}:\n    Book.objects.create(title=author.name, pages=1, author=author)\n{_PAGES}",
        "author",
    ),
    Work(
        "rows looked for",
        ("ORM305",),
        _rows("Author"),
        "for author in {q}:\n    Profile.objects.update_or_create(author=author, defaults={'text': author.name})\n"
        "print(list(Profile.objects.order_by('pk').values_list('text', flat=True)))",
        "author",
        imports="from library.models import Profile",
    ),
    Work(
        "link",
        ("ORM306",),
        _BOOKS,
        "tag = Tag.objects.create(word='new')\nfor book in {q}:\n    tag.books.add(book)\nprint(tag.books.count())",
        "book",
    ),
    Work(
        "link of several",
        ("ORM306",),
        _BOOKS,
        "tag = Tag.objects.create(word='new')\nfor book in {q}:\n    book.tags.add(tag)\nprint(tag.books.count())",
        "book",
    ),
    Work(
        "unlink",
        ("ORM306",),
        _BOOKS,
        "tag = Tag.objects.order_by('pk').first()\nfor book in {q}:\n    tag.books.remove(book)\nprint(tag.books.count())",
        "book",
    ),
    Work(
        "fetch before",
        ("ORM103",),
        _rows("Review"),
        "for review in {q}:\n    book = Book.objects.get(pk=review.book_id)\n    print(book.title)",
        "review",
    ),
)
_ADMIN = """page = BookAdmin(Book, AdminSite()).get_changelist_instance(request_of_nobody())
page.formset = None
print([list(row) for row in results(page)])"""
_ADMIN_IMPORTS = """from types import SimpleNamespace

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.templatetags.admin_list import results
from django.test import RequestFactory"""
_NOBODY = """

def request_of_nobody():
    request = RequestFactory().get("/")
    request.user = SimpleNamespace(has_perm=lambda *args: True)
    return request"""
_URLS = (
    (
        "urls.py",
        "import django.contrib.admin\nfrom django.contrib import admin\nfrom django.urls import path\n\n"
        "urlpatterns = [path('admin/', admin.site.urls)]\n",
    ),
)


def _admin(fixer: str, body: str) -> Work:
    above = (
        f'class Volume{{n}}(Book):\n    class Meta:\n        proxy = True\n        app_label = "library"\n\n\n@admin.register(Volume{{n}})\n'
        f"class BookAdmin(admin.ModelAdmin):\n{body}\n{_NOBODY}"
    )
    text = _ADMIN.replace("BookAdmin(Book,", "BookAdmin(Volume{n},")
    return Work(fixer, ("ORM108",), _NONE, text, above=above, imports=_ADMIN_IMPORTS, lacks=ADMIN, files=_URLS)


_DECLARED = (
    Work(
        "page size",
        ("ORM402",),
        _NONE,
        "print(Pages.page_size)",
        above='class Pages(PageNumberPagination):\n    page_size = 20  # by itself\n    page_size_query_param = "size"  # or as asked for\n\n\n'
        "class BookSerializer(serializers.Serializer):\n    title = serializers.CharField()\n\n\n"
        "class BookList(generics.ListAPIView):\n    queryset = Book.objects.order_by('pk')\n    serializer_class = BookSerializer\n"
        "    pagination_class = Pages",
        imports="from rest_framework import generics, serializers\nfrom rest_framework.pagination import PageNumberPagination",
        lacks=DECLARED,
        gain=Gain.ROWS,
    ),
    Work(
        "index for a list",
        ("ORM502",),
        _NONE,
        "print(Parcel{n}.objects.filter(code='x').query)",
        above="class Parcel{n}(models.Model):\n    code = models.CharField(max_length=40)  # to be found by\n    pages = models.IntegerField()\n\n"
        '    class Meta:\n        app_label = "library"\n'
        '        indexes = [\n            models.Index(fields=["pages"]),  # old\n        ]\n\n\n'
        "def parcels(code):\n    return list(Parcel{n}.objects.filter(code=code))",
        imports="from django.db import models",
        lacks=DECLARED,
        gain=Gain.ROWS,
    ),
    Work(
        "index for a Meta",
        ("ORM502",),
        _NONE,
        "print(Letter{n}.objects.filter(code='x').query)",
        above="class Letter{n}(models.Model):\n    code = models.CharField(max_length=40)  # to be found by\n    pages = models.IntegerField()\n\n"
        '    class Meta:\n        app_label = "library"  # of the reports\n\n\n'
        "def letters(code):\n    return list(Letter{n}.objects.filter(code=code))",
        imports="from django.db import models",
        lacks=DECLARED,
        gain=Gain.ROWS,
    ),
    _admin(
        "admin list", '    list_display = ("title", "place")  # what is shown\n\n    def place(self, book):\n        return book.author.country.name'
    ),
    _admin(
        "admin list, longer",
        '    list_display = ["title", "place", "edited_by"]\n'
        '    list_select_related = ["editor"]  # so far\n\n    def place(self, book):\n        return book.author.name\n\n'
        "    def edited_by(self, book):\n        return book.editor.name if book.editor else None",
    ),
    Work(
        "index of a list",
        ("ORM504",),
        _NONE,
        "print([index.fields for index in Pamphlet{n}._meta.indexes][1:])",
        above="class Pamphlet{n}(models.Model):\n    title = models.CharField(max_length=40)\n    pages = models.IntegerField()\n\n    class Meta:\n"
        '        app_label = "library"\n        indexes = [\n            models.Index(fields=["title"]),\n'
        '            models.Index(fields=["title", "pages"]),  # the longer one\n        ]',
        imports="from django.db import models",
        lacks=DECLARED,
        gain=Gain.REPAIR,
    ),
    Work(
        "index of a column",
        ("ORM504",),
        _NONE,
        "print(Leaflet{n}._meta.get_field('title').max_length)",
        above="class Leaflet{n}(models.Model):\n    title = models.CharField(max_length=40, db_index=True)  # a name\n"
        "    pages = models.IntegerField()\n\n    class Meta:\n"
        '        app_label = "library"\n        indexes = [models.Index(fields=["title", "pages"])]',
        imports="from django.db import models",
        lacks=DECLARED,
        gain=Gain.ROWS,
    ),
    Work(
        "index by default",
        ("ORM504",),
        _NONE,
        "print(Flyer{n}._meta.get_field('author').db_index)",
        above="class Flyer{n}(models.Model):\n"
        '    author = models.ForeignKey("library.Author", models.CASCADE, db_index=True, related_name="+")  # whose\n'
        '    pages = models.IntegerField()\n\n    class Meta:\n        app_label = "library"',
        imports="from django.db import models",
        lacks=DECLARED,
        gain=Gain.ROWS,
    ),
)

WORKS = (*_LOADS, *_QUESTIONS, *_WRITES, *_DECLARED)
