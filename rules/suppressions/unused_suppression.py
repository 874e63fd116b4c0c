"""ORM001: a comment silences a rule that finds nothing there."""

from collections.abc import Iterator

from ormlint.api import Project, QueryLog, Report, Severity, rule


@rule("ORM001", "unused-suppression", severity=Severity.INFO, judges_comments=True)
def check(project: Project, log: QueryLog) -> Iterator[Report]:
    """Reports comments that nothing needs."""
    for comment in project.suppressions:
        # `# noqa` without codes speaks to other tools too
        if comment.used or not comment.judged or not comment.known or (comment.directive == "noqa" and not comment.selector):
            continue
        named = f"`{comment.selector}`" if comment.selector else "all rules"
        where = "in this file" if comment.lines is None else "here"
        yield Report(
            site=comment.site,
            message=f"the comment silences {named}, but there is nothing to silence {where}",
            help=f"remove {named} from the comment" if comment.selector else "remove the comment",
            cause=(comment.site,),
        )
