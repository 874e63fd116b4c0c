"""Functions of the standard library and of widely used packages whose effect shows in their name or path.

The engine asks these tables only about what it cannot see into: a function of the project is run, whatever it is called.
"""

BATCHES = frozenset({
    "batch", "batched", "batches", "in_batches", "chunk", "chunks", "chunked", "chunk_list", "ichunked", "iter_batches", "iter_chunks", "grouper",
    "split_every",
})  # fmt: skip
"""Give lists of a limited number of elements: itertools.batched, more_itertools.chunked, the recipes of itertools and what is named after them."""

BATCH_VARIABLES = frozenset({"batch", "chunk"})
"""What programs call the pieces that they cut with functions of their own, alone, as the first or as the last word: `email_batch`, `chunk_ids`."""

_BATCH_GENERATORS = BATCH_VARIABLES | {"batches", "batched", "chunks", "chunked"}

COUNTERS = frozenset({"itertools.count", "itertools.repeat"})
"""Never end by themselves: a loop over them is a `while True`."""

ERROR = "Error"
"""Ends the names of exceptions: the arguments of `ValidationError(…)` are the text of an error."""

TELL_ERRORS = frozenset({"error", *(f"{verb}_error" for verb in ("add", "append", "collect", "log", "on", "raise", "report", "set", "show"))})
"""What is called when something is wrong, with the text of an error: `form.add_error(…)`, but not `mean_squared_error(…)`."""

WAITS = frozenset({"sleep", "wait", "wait_for", "poll"})
"""Pause a loop that serves, polls or tries again: time, asyncio, threading, message queues."""

QUEUES = frozenset({"delay", "apply_async", "send_mail", "send_email", "send_message"})
"""Hand a task or a message to somebody else: Celery, Django Q, Dramatiq, mail APIs."""

TASKS = frozenset({
    "task", "shared_task", "periodic_task", "db_task", "db_periodic_task", "actor", "job", "background", "background_task", "command", "cron",
})  # fmt: skip
"""Decorators of functions that a worker, a scheduler or a command line starts: Celery, Huey, Dramatiq, RQ, APScheduler, Click, Typer."""

BACKGROUND_CLASSES = ("BaseCommand", "LabelCommand", "AppCommand", "NoArgsCommand", "CronJobBase", "Task", "JobRunner")
"""Classes whose methods a worker, a scheduler or a command line starts."""

BACKGROUND_PLACES = frozenset({"commands", "task", "tasks", "job", "jobs", "cron", "celery", "worker", "workers", "scripts"})
"""Words in the paths of files whose functions are started by name."""

ENTRANCES = frozenset({"main", "run", "handle", "ready", "setup", "teardown", "upgrade", "downgrade", "application", "includeme"})
"""Names by which frameworks and command lines find a function in its module or class."""

WRAPPERS = frozenset({
    "property", "cached_property", "classproperty", "staticmethod", "classmethod", "abstractmethod", "override", "overload", "atomic",
    "contextmanager", "lru_cache", "cache", "wraps", "deprecated", "dataclass", "total_ordering", "final", "non_atomic_requests",
    "csrf_exempt", "csrf_protect", "ensure_csrf_cookie", "never_cache", "cache_page", "cache_control", "vary_on_cookie", "vary_on_headers",
    "login_required", "permission_required", "user_passes_test", "staff_member_required", "login_not_required", "require_POST",
    "require_GET", "require_safe", "require_http_methods", "xframe_options_exempt", "xframe_options_deny", "xframe_options_sameorigin",
    "gzip_page", "sensitive_post_parameters", "method_decorator", "api_view", "permission_classes", "authentication_classes",
    "renderer_classes", "parser_classes", "throttle_classes", "schema", "extend_schema", "extend_schema_view", "swagger_auto_schema",
})  # fmt: skip
"""Decorators that leave it to others to call what they decorate: the standard library, Django, REST framework and its schemas."""

HOLDING_MODULE = "django.core.paginator"
HOLDERS = frozenset({"Paginator", "Page"})
"""Classes of Django whose objects do nothing with the query they are given but keep it, cut it and count it: whoever has the object has the query."""

EFFECTS = (
    "django.core.mail.", "requests.", "httpx.", "urllib.request.", "urllib3.", "aiohttp.", "smtplib.", "subprocess.", "boto3.", "paramiko.",
    "shutil.", "os.remove",
)  # fmt: skip
"""Beginnings of the dotted paths of calls that do something outside the program and its database."""

VIEWPOINTS = ("django_scopes.scope(", "django_tenants.utils.", "tenant_schemas.utils.", "django_multitenant.utils.")
"""Beginnings of calls of context managers that have the queries of a block see the rows of one tenant alone, by its schema or scope."""

RENDERS = frozenset({"render", "render_to_string", "render_template", "jsonify", "JsonResponse", "HttpResponse", "Response", "TemplateResponse"})
"""Make a response or a text of what they are given: Django, REST framework, Flask, Starlette."""

FILLING = ("render", "template")
"""Words in the names of functions that fill in a template of the project which they are given by name: Flask-Themes, Tornado, aiohttp, Sanic."""

TEMPLATE_ENDINGS = (".html", ".htm", ".txt", ".xml", ".jinja", ".jinja2", ".j2")
"""Ends of the names that templates go by."""

MEMOISING = frozenset({
    "lru_cache", "cache", "cached", "memoize", "memoized", "cache_memoize", "ttl_cache", "cached_function", "cached_as", "alru_cache",
})  # fmt: skip
"""Decorators that keep the result of a call: functools, cachetools, Flask-Caching, django-cacheops."""

ELSEWHERE = frozenset({"sync_to_async", "database_sync_to_async", "run_in_executor", "run_in_threadpool", "threaded", "to_thread"})
"""Decorators that make a coroutine of a function, which another thread runs: asgiref, Channels."""

INJECTORS = frozenset({"Depends", "Security", "Provide"})
"""Mark what the framework fills in, `db: Session = Depends(get_db)`: FastAPI, dependency-injector."""

_NARROWING = frozenset({"filter", "search", "autocomplete", "restrict", "filter_queryset", "search_queryset"})
"""Functions that give back the one query they are given, narrowed down: filter backends of REST framework, search backends, watson."""

PROGRESS = frozenset({
    "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.asyncio.tqdm", "tqdm.notebook.tqdm",
    "rich.progress.track", "alive_progress.alive_it", "progressbar.progressbar",
})  # fmt: skip
"""Give what they are given, and show how far a loop has come."""

MODEL_GETTERS = frozenset({"get_model", "get_registered_model", "get_user_model"})
"""Return the model class that their arguments name, or the user model: Django's functions of these names and what projects put before them."""

REQUEST_STORES = frozenset({"flask.g", "flask.globals.g", "quart.g"})
"""Objects that live as long as a request and keep what the program puts there."""

TEMPLATE_ENVIRONMENT = "jinja_env"
"""The attribute by which an application outside the project gives its environment of Jinja: `current_app.jinja_env.get_template(…)`."""

NOT_FOUND = frozenset({"DoesNotExist", "ObjectDoesNotExist", "NoResultFound", "KeyError", "AttributeError", "StopIteration", "IndexError"})
"""Exceptions that answer a question, so that their handler is the other half of an `if`."""


def narrows(name: str) -> bool:
    """Whether a function is named for narrowing down the query it is given: `filter_queryset`, `search`; what `search_ids` gives are no rows."""
    return name.lstrip("_") in _NARROWING


def gives_batches(name: str) -> bool:
    """Whether a generator is named for the pieces that it cuts something into: `chunks`, `in_batches`, `batch_iterator`."""
    words = name.split("_")
    return words[0] in _BATCH_GENERATORS or words[-1] in _BATCH_GENERATORS
