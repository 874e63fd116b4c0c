from ormlint.api import Kind, Orm
from ormlint.judge.eager import relation_names
from tests.rules.builder import Source, model, query, relate

VIEWS = Source("shop/views.py", "authors = session.scalars(select(Author))\n")


def authors(orm):
    author, book, shop = (model(name, orm) for name in ("Author", "Book", "Shop"))
    relate(author, "books", book, Kind.REVERSE_FOREIGN_KEY)
    relate(book, "shop", shop)
    return query(author, VIEWS.at("select(Author)"))


def test_django_names_the_path_from_the_rows_of_the_innermost_loop_too():
    assert relation_names(authors(Orm.DJANGO), ("books", "shop"), 1) == ("books__shop", "shop")


def test_sqlalchemy_names_the_attributes_that_are_not_loaded():
    assert relation_names(authors(Orm.SQLALCHEMY), ("books", "shop"), 1) == ("books__shop", "Book.shop")
    assert relation_names(authors(Orm.SQLALCHEMY), ("books", "shop"), 0) == ("books__shop", "Author.books", "Book.shop")


def test_a_path_of_one_step_is_its_name():
    assert relation_names(authors(Orm.SQLALCHEMY), ("books",), 0) == ("books",)
