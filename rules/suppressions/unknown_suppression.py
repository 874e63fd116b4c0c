"""ORM002: a comment names a rule which does not exist."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, Severity, rule


@rule("ORM002", "unknown-suppression", severity=Severity.WARNING, judges_comments=True)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Reports comments that silence nothing because ormlint does not understand them."""
    for comment in project.suppressions:
        if comment.known:
            continue
        if comment.selector:
            message = f"the comment silences `{comment.selector}`, which is the name of no rule"
            remedy = "name the rule by its code or its name, as `ormlint rule --all` lists them"
        else:
            message = f"`ormlint: {comment.directive}` is not a comment that ormlint knows"
            remedy = "write `ormlint: ignore[CODE]` or `ormlint: ignore-file[CODE]`"
        yield Report(site=comment.site, message=message, help=remedy, cause=(comment.site,))
