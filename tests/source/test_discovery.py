from __future__ import annotations

import os
from pathlib import Path

import pytest

from ormlint.source.discovery import Discovery, discover
from ormlint.source.roles import Role
from ormlint.source.root import find_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def write(root: Path, *paths: str, **texts: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(texts.get(path.rpartition("/")[2].partition(".")[0], ""))


def paths(found: Discovery) -> list[str]:
    return [file.path for file in found.files]


def names(found: Discovery) -> dict[str, str]:
    return {file.path: file.module for file in found.files}


def test_python_files_and_templates_are_found_in_order(root: Path) -> None:
    write(root, "b.py", "a/x.py", "a/notes.txt", "templates/x.html", "templates/mail/y.txt", "static/z.html", "report.j2", "README.md")
    assert paths(discover(root)) == ["a/x.py", "b.py", "report.j2", "templates/mail/y.txt", "templates/x.html"]


def test_default_excludes_are_left_out_with_a_reason(root: Path) -> None:
    write(root, "x.py", ".venv/a.py", "node_modules/b.py", "lib/site-packages/c.py", "build/d.py", "p/__pycache__/e.py")
    found = discover(root)
    assert paths(found) == ["x.py"]
    assert {skipped.path: skipped.reason for skipped in found.skipped}["build/"] == "excluded by the configuration"


def test_a_virtual_environment_is_known_by_its_configuration(root: Path) -> None:
    write(root, "x.py", "py3/pyvenv.cfg", "py3/lib/y.py")
    found = discover(root)
    assert paths(found) == ["x.py"]
    assert found.reason_against("py3") == "a virtual environment"


def test_exclude_replaces_the_defaults_and_extend_exclude_adds(root: Path) -> None:
    write(root, "x.py", "build/y.py", "old/z.py", "gen/a_pb2.py")
    assert paths(discover(root, exclude=["old"])) == ["build/y.py", "gen/a_pb2.py", "x.py"]
    assert paths(discover(root, extend_exclude=["*_pb2.py", "/old"])) == ["x.py"]


def test_gitignore_is_honoured_at_every_level(root: Path) -> None:
    write(root, ".gitignore", "local.py", "app/.gitignore", "app/a.py", "app/local.py", "app/deep/gen.py", "gen.py", "out/x.py")
    (root / ".gitignore").write_text("local.py\n/out/\n")
    (root / "app/.gitignore").write_text("gen.py\n!local.py\n")
    found = discover(root)
    assert paths(found) == ["app/a.py", "app/local.py", "gen.py"]
    assert found.reason_against("app/deep/gen.py") == "ignored by app/.gitignore"
    assert found.reason_against("out/x.py") == "ignored by .gitignore"


def test_gitignore_above_the_root_counts_up_to_the_repository(root: Path) -> None:
    write(root, ".gitignore", "repo/.git/HEAD", "repo/.gitignore", "repo/backend/a.py", "repo/backend/b.py", "repo/backend/c.py")
    (root / ".gitignore").write_text("c.py\n")
    (root / "repo/.gitignore").write_text("/backend/b.py\n")
    assert paths(discover(root / "repo/backend")) == ["a.py", "c.py"]


def test_a_link_back_into_the_project_is_not_followed(root: Path) -> None:
    write(root, "app/x.py")
    (root / "app/again").symlink_to(root, target_is_directory=True)
    (root / "copy.py").symlink_to(root / "app/x.py")
    found = discover(root)
    assert paths(found) == ["app/x.py"]
    assert found.reason_against("copy.py") == "a link to another place in the project"


def test_a_link_out_of_the_project_is_followed_once(tmp_path: Path) -> None:
    write(tmp_path, "shared/x.py", "project/y.py")
    (tmp_path / "shared/loop").symlink_to(tmp_path / "shared", target_is_directory=True)
    (tmp_path / "project/one").symlink_to(tmp_path / "shared", target_is_directory=True)
    (tmp_path / "project/two").symlink_to(tmp_path / "shared", target_is_directory=True)
    assert paths(discover(tmp_path / "project")) == ["one/x.py", "y.py"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is readable to root")
def test_an_unreadable_directory_is_reported(root: Path) -> None:
    write(root, "x.py", "secret/y.py")
    (root / "secret").chmod(0)
    try:
        found = discover(root)
    finally:
        (root / "secret").chmod(0o700)
    assert paths(found) == ["x.py"]
    assert [(problem.path, problem.kind) for problem in found.problems] == [("secret", "io")]


def test_a_directory_that_cannot_be_listed_is_reported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "x.py", "secret/y.py")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("ormlint.source.discovery.os.scandir", refusing)
    found = discover(root)
    assert paths(found) == ["x.py"]
    assert [(problem.path, problem.message) for problem in found.problems] == [("secret", "cannot be listed: Permission denied")]


def test_a_link_to_a_place_that_cannot_be_looked_at_is_reported(root: Path) -> None:
    write(root, "app/x.py", ".gitignore")
    (root / ".gitignore").write_text("later/\n")
    for name in ("app/media", "build", "later"):
        (root / name).symlink_to("n" * 300)  # a name too long to look up, also for root
    (root / "round").symlink_to("round")
    found = discover(root)
    assert paths(found) == ["app/x.py"]
    assert [(problem.path, problem.message, problem.kind) for problem in found.problems] == [
        ("app/media", "cannot be read: File name too long", "io")
    ]


def test_what_marks_a_project_need_not_be_in_sight(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(root, "secret/app/x.py")
    stat = os.stat

    def refusing(path: str, **more: bool) -> os.stat_result:
        if os.path.basename(path) in (".git", "pyproject.toml", "ormlint.toml", "manage.py", "__init__.py"):
            raise PermissionError(13, "Permission denied")
        return stat(path, **more)

    monkeypatch.setattr(os, "stat", refusing)
    assert find_root(root / "secret/app").path == root / "secret/app"
    assert paths(discover(root / "secret")) == ["app/x.py"]


def test_a_file_on_standard_input_need_not_exist(root: Path) -> None:
    write(root, "app/__init__.py")
    assert names(discover(root, also=["app/new.py"])) == {"app/__init__.py": "app", "app/new.py": "app.new"}


class TestModuleNames:
    def test_packages_begin_where_init_files_end(self, root: Path) -> None:
        write(root, "backend/shop/__init__.py", "backend/shop/models.py", "backend/shop/api/__init__.py", "backend/shop/api/views.py", "run.py")
        assert names(discover(root)) == {
            "backend/shop/__init__.py": "shop",
            "backend/shop/api/__init__.py": "shop.api",
            "backend/shop/api/views.py": "shop.api.views",
            "backend/shop/models.py": "shop.models",
            "run.py": "run",
        }

    def test_a_gap_inside_a_package_is_part_of_the_name(self, root: Path) -> None:
        write(root, "shop/__init__.py", "shop/management/commands/load.py")
        assert names(discover(root))["shop/management/commands/load.py"] == "shop.management.commands.load"

    def test_src_is_no_part_of_a_name(self, root: Path) -> None:
        write(root, "src/shop/models.py", "src/tool.py", tool="from src.shop import models\nimport shop.models\n")
        assert names(discover(root)) == {"src/shop/models.py": "shop.models", "src/tool.py": "tool"}

    def test_a_directory_without_init_is_part_of_the_name_if_it_is_imported(self, root: Path) -> None:
        write(root, "apps/shop/__init__.py", "apps/shop/models.py", "main.py", main="from apps.shop import models\n")
        assert names(discover(root))["apps/shop/models.py"] == "apps.shop.models"

    def test_a_directory_without_init_is_a_source_root_if_it_is_not(self, root: Path) -> None:
        write(root, "apps/shop/__init__.py", "apps/shop/models.py", "main.py", main="from shop import models\n")
        assert names(discover(root))["apps/shop/models.py"] == "shop.models"

    def test_an_outer_directory_is_not_taken_for_the_package_of_the_same_name(self, root: Path) -> None:
        write(root, "shop/shop/__init__.py", "shop/shop/models.py", "shop/main.py", main="from shop.models import Book\n")
        assert names(discover(root))["shop/shop/models.py"] == "shop.models"

    def test_an_init_beside_manage_py_makes_no_package(self, root: Path) -> None:
        write(root, "site/__init__.py", "site/manage.py", "site/shop/__init__.py", "site/shop/models.py")
        assert names(discover(root))["site/shop/models.py"] == "shop.models"

    @pytest.mark.parametrize(
        "call",
        [
            'sys.path.insert(0, root("apps"))',
            'sys.path.append(\n    os.path.join(BASE_DIR, "site", "apps")\n)',
            "sys.path.insert(0, str(BASE_DIR / 'apps'))",
        ],
    )
    def test_what_settings_put_on_the_path_is_a_source_root(self, root: Path, call: str) -> None:
        write(root, "site/__init__.py", "site/apps/__init__.py", "site/apps/shop/__init__.py", "site/apps/shop/models.py", "other/apps/__init__.py")
        write(root, "site/settings/base.py", base=f"import sys\n{call}\n")
        told = names(discover(root))
        assert told["site/apps/shop/models.py"] == "shop.models"
        assert told["site/settings/base.py"] == "site.settings.base"
        assert told["other/apps/__init__.py"] == "apps"

    def test_what_is_on_the_path_but_imported_by_its_full_name_is_no_root(self, root: Path) -> None:
        write(
            root,
            "site/manage.py",
            "site/library/__init__.py",
            "site/library/shop/__init__.py",
            "site/library/shop/models.py",
            "site/library/shop/views.py",
            manage='import os, sys\nsys.path.append(os.path.join(HERE, "library"))\n',
            views="from library.shop.models import Book\nfrom library.shop import models\n",
        )
        assert names(discover(root))["site/library/shop/models.py"] == "library.shop.models"

    @pytest.mark.parametrize("call", ['sys.path.append("/srv/site/apps")', "sys.path.append(os.path.dirname(__file__))", 'sys.path.append("x")'])
    def test_other_additions_to_the_path_change_nothing(self, root: Path, call: str) -> None:
        write(root, "site/__init__.py", "site/apps/__init__.py", "site/apps/shop/__init__.py", "site/apps/shop/models.py")
        write(root, "site/settings.py", settings=f"import sys\n{call}\n")
        assert names(discover(root))["site/apps/shop/models.py"] == "site.apps.shop.models"

    def test_what_a_tool_puts_on_the_path_is_no_source_root(self, root: Path) -> None:
        write(root, "site/__init__.py", "site/apps/__init__.py", "site/apps/shop.py", "site/run.py", run='import sys\nsys.path.append("apps")\n')
        assert names(discover(root))["site/apps/shop.py"] == "site.apps.shop"


class TestLanguages:
    def language(self, root: Path, path: str) -> str:
        return {file.path: file.language for file in discover(root).files}[path]

    def test_django_is_assumed(self, root: Path) -> None:
        write(root, "templates/x.html")
        assert self.language(root, "templates/x.html") == "django"

    def test_endings_and_directories_decide(self, root: Path) -> None:
        write(root, "manage.py", "app/jinja2/x.html", "templates/y.html.j2", "templates/z.html")
        assert self.language(root, "app/jinja2/x.html") == "jinja"
        assert self.language(root, "templates/y.html.j2") == "jinja"
        assert self.language(root, "templates/z.html") == "django"

    def test_the_nearest_framework_decides(self, root: Path) -> None:
        write(
            root,
            "one/app.py",
            "one/templates/x.html",
            "two/templates/x.html",
            "two/views.py",
            app="from flask import Flask\n",
            views="import django\n",
        )
        assert self.language(root, "one/templates/x.html") == "jinja"
        assert self.language(root, "two/templates/x.html") == "django"

    @pytest.mark.parametrize("backend", ["django_jinja.backend.Jinja2", "django.template.backends.jinja2.Jinja2"])
    def test_settings_with_a_backend_for_jinja_leave_it_to_the_text(self, root: Path, backend: str) -> None:
        write(root, "manage.py", "shop/settings.py", settings=f"import django\nTEMPLATES = [{{'BACKEND': '{backend}'}}]\n")
        texts = {
            "calls.html": "{{ price(book) }}",
            "trims.html": "{%- if books -%}{{ books }}{%- endif -%}",
            "loads.html": "{% load prices %}{{ book|price }} price(book) {% if a %}({% endif %}",
            "filters.html": "{% set x = 1 %}{{ book|date:'Y' }}",
            "plain.html": "{{ book.title }}",
        }
        (root / "templates").mkdir()
        for name, text in texts.items():
            (root / "templates" / name).write_text(text)
        told = {name: self.language(root, f"templates/{name}") for name in texts}
        assert told == {"calls.html": "jinja", "trims.html": "jinja", "loads.html": "django", "filters.html": "django", "plain.html": "django"}

    def test_without_such_settings_the_text_says_nothing(self, root: Path) -> None:
        write(root, "manage.py", "shop/settings.py", settings="import django\n")
        (root / "templates").mkdir()
        (root / "templates" / "calls.html").write_text("{{ price(book) }}")
        assert self.language(root, "templates/calls.html") == "django"


def test_tests_and_migrations_have_roles(root: Path) -> None:
    write(root, "shop/models.py", "shop/tests.py", "shop/tests/test_x.py", "conftest.py", "shop/migrations/0001_initial.py", "latest.py")
    write(root, "shop_tests/storage/events.py", "shop/db_migrations/versions/1_tags.py")
    assert {file.path: file.role for file in discover(root).files} == {
        "conftest.py": Role.TEST,
        "latest.py": Role.PROGRAM,
        "shop/migrations/0001_initial.py": Role.MIGRATION,
        "shop/models.py": Role.PROGRAM,
        "shop/tests.py": Role.TEST,
        "shop_tests/storage/events.py": Role.TEST,
        "shop/db_migrations/versions/1_tags.py": Role.MIGRATION,
        "shop/tests/test_x.py": Role.TEST,
    }
