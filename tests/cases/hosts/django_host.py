"""Executes Django cases: configures settings, makes the tables of the case's apps, fills them, runs `main()`."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import importlib
import pathlib
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import django
from django.conf import settings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from serve import Run, serve

# what most cases need, imported before the fork
WARM = (
    "asgiref.sync",
    "django.contrib.auth.apps",
    "django.contrib.contenttypes.apps",
    "django.core.cache",
    "django.core.checks.messages",
    "django.core.paginator",
    "django.db.backends.sqlite3.base",
    "django.db.models.sql.compiler",
    "django.forms",
    "django.shortcuts",
    "django.template.backends.django",
    "django.utils.log",
)
TRANSACTION = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")
CONTRIB = ("django.contrib.contenttypes", "django.contrib.auth")


def prepare(job: dict[str, Any]) -> Run:
    """Configures Django for the apps in the job's directory."""
    root = pathlib.Path(job["root"])
    apps = sorted(str(path.parent.relative_to(root)).replace("/", ".") for path in root.glob("**/models.py") if path.parent != root)
    apps += sorted(str(path.parent.parent.relative_to(root)).replace("/", ".") for path in root.glob("**/models/__init__.py"))
    texts = "".join(path.read_text() for path in root.glob("**/*.py"))
    contrib = list(CONTRIB) if any(word in texts for word in ("contenttypes", "contrib.auth", "contrib.admin", "AUTH_USER_MODEL")) else []
    contrib += ["django.contrib.admin"] if "contrib.admin" in texts else []
    contrib += ["django_tables2"] if "django_tables2" in texts else []
    settings.configure(**{**_defaults(root), "INSTALLED_APPS": contrib + apps, **_own_settings(root)})
    django.setup()
    return _run


def _defaults(root: pathlib.Path) -> dict[str, object]:
    templates = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(root / "templates")], "APP_DIRS": True}
    return {
        "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        "LOGGING_CONFIG": None,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "USE_TZ": False,
        "SECRET_KEY": "case",
        "ALLOWED_HOSTS": ["*"],
        "TEMPLATES": [templates],
        "ROOT_URLCONF": "urls",
    }


def _own_settings(root: pathlib.Path) -> dict[str, object]:
    for path in root.glob("**/settings.py"):
        module = importlib.import_module(str(path.relative_to(root).with_suffix("")).replace("/", "."))
        return {name: getattr(module, name) for name in dir(module) if name.isupper()}
    return {}


def _run(module: Any, rows: int) -> list[str]:
    from django.db import connection

    _new_database()
    models = list(_models())
    with connection.schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    _make_content_types(models)
    if pathlib.Path("fill.py").exists():
        importlib.import_module("fill").fill(rows)
    else:
        Filler(rows).fill([model for model in models if _is_own(model)])
    log: list[str] = []

    def record(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(TRANSACTION):
            log.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        if asyncio.iscoroutinefunction(module.main):
            from asgiref.sync import async_to_sync

            async_to_sync(module.main)()
        else:
            module.main()
    return log


def _is_own(model: Any) -> bool:
    """Whether the case's rows are of this model: one of its own, or Django's user if the case has no other."""
    return not model.__module__.startswith("django.") or (model.__name__ == "User" and not model._meta.swapped)


def _new_database() -> None:
    from django.apps import apps
    from django.db import connection

    if connection.connection is not None:
        connection.connection.close()
        connection.connection = None
    if apps.is_installed("django.contrib.contenttypes"):
        from django.contrib.contenttypes.models import ContentType

        ContentType.objects.clear_cache()


def _make_content_types(models: list[Any]) -> None:
    from django.apps import apps

    if apps.is_installed("django.contrib.contenttypes"):
        from django.contrib.contenttypes.models import ContentType

        ContentType.objects.get_for_models(*models)
        ContentType.objects.clear_cache()


def _models() -> Iterator[Any]:
    """Yields the models that have tables, those they refer to first."""
    from django.apps import apps

    done: set[Any] = set()

    def visit(model: Any) -> Iterator[Any]:
        if model in done:
            return
        done.add(model)
        for field in model._meta.get_fields():
            if field.concrete and field.remote_field and not field.many_to_many and field.related_model not in (None, model):
                yield from visit(field.related_model._meta.concrete_model)
        yield model

    for model in apps.get_models(include_auto_created=False):
        if model._meta.managed and not model._meta.proxy and not model._meta.abstract:
            yield from visit(model)


class Filler:
    """Fills tables with so many rows each: every row has a parent of its own, every many-to-many pair is linked."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.made: dict[Any, list[Any]] = {}
        self.heirs: dict[Any, Any] = {}

    def fill(self, models: list[Any]) -> None:
        """Makes the rows of all models; a model with children in other tables gets its rows from the first of them."""
        self.heirs = {parent: model for model in reversed(models) for parent in _ancestors(model)}
        for model in models:
            self._make(model)
        for model, rows in self.made.items():
            for field in model._meta.local_many_to_many:
                through = field.remote_field.through
                if through._meta.auto_created:
                    left, right = field.m2m_field_name(), field.m2m_reverse_field_name()
                    targets = self.made.get(field.related_model, ())
                    through._base_manager.bulk_create(through(**{left: row, right: target}) for row in rows for target in targets)

    def _make(self, model: Any) -> None:
        if model in self.made:
            return
        if model in self.heirs:
            self._make(self.heirs[model])
            return
        self.made[model] = []
        for parent in _ancestors(model):
            self.made[parent] = []
        for field in model._meta.concrete_fields:
            if field.is_relation and not getattr(field.remote_field, "parent_link", False):
                self._make(field.related_model._meta.concrete_model)
        for number in range(self.rows):
            row = model(**dict(self._values(model, number)))
            row.save()
            self.made[model].append(row)
            for parent in _ancestors(model):
                self.made[parent].append(parent._base_manager.get(pk=row.pk))

    def _values(self, model: Any, number: int) -> Iterator[tuple[str, object]]:
        generic = [field for field in model._meta.private_fields if hasattr(field, "ct_field")]
        covered = {name for field in generic for name in (field.ct_field, field.fk_field)}
        for field in model._meta.concrete_fields:
            parent_link = field.is_relation and getattr(field.remote_field, "parent_link", False)
            if parent_link or "Auto" in type(field).__name__ or field.name in covered:
                continue
            if field.is_relation:
                yield field.name, self._related(model, field, number)
            else:
                yield field.name, _value(field, number)
        for field in generic:
            yield field.name, next(rows[number] for kind, rows in self.made.items() if kind is not model)

    def _related(self, model: Any, field: Any, number: int) -> object:
        target = field.related_model._meta.concrete_model
        if target is model:
            return self.made[model][number - 1] if number else None
        rows = self.made.get(target, [])
        return rows[number] if number < len(rows) else None


def _ancestors(model: Any) -> list[Any]:
    return [parent for parent in model.__mro__[1:] if hasattr(parent, "_meta") and not parent._meta.abstract and parent in model._meta.parents]


def _value(field: Any, number: int) -> object:
    if field.choices:
        return field.choices[0][0]
    day = datetime.datetime(2024, 1, number + 1, 12)
    values: dict[str, object] = {
        "BooleanField": True,
        "CharField": f"{field.name} {number + 1}"[: field.max_length],
        "DateField": day.date(),
        "DateTimeField": day,
        "DecimalField": decimal.Decimal(number + 1),
        "DurationField": datetime.timedelta(days=number + 1),
        "EmailField": f"{number + 1}@example.org",
        "FloatField": number + 0.5,
        "JSONField": {},
        "SlugField": f"{field.name}-{number + 1}",
        "TextField": f"{field.name} {number + 1}",
        "TimeField": day.time(),
        "URLField": f"https://example.org/{number + 1}",
        "UUIDField": uuid.UUID(int=number + 1),
    }
    kind = type(field).__name__
    if kind in values:
        return values[kind]
    if "Integer" in kind:
        return number + 1
    return field.get_default() if field.has_default() else ""


if __name__ == "__main__":
    for name in WARM:
        importlib.import_module(name)
    serve(prepare)
