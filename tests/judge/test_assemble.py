from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ormlint.api import Report
from ormlint.judge.finding import Finding
from tests.judge.courtroom import at, judged, report, rule_that

TEXT = "a = book.author\nb = book.author\nc = book.author\n"


def findings(text: str, *reports: Report) -> list[Finding]:
    return judged({"x.py": text}, rule_that(reports)).findings


def three(cause: object = None) -> list[Report]:
    return [report(at("x.py", TEXT, "book.author", occurrence), cause=cause) for occurrence in (2, 0, 1)]


def test_findings_are_sorted_by_place() -> None:
    assert [finding.site.start for finding in findings(TEXT, *three())] == [4, 20, 36]


def test_reports_with_one_cause_are_one_finding_at_the_first_place() -> None:
    judgement = judged({"x.py": TEXT}, rule_that(three("the query")))
    (finding,) = judgement.findings
    assert (finding.site.start, len(finding.elsewhere)) == (4, 2)
    assert finding.notes == ("2 further places have the same cause: x.py:2, x.py:3",)
    assert {dropped.reason for dropped in judgement.dropped} == {"has the same cause as x.py:1"}


def test_a_place_that_is_reported_twice_is_no_further_place() -> None:
    (finding,) = findings(TEXT, *three("the query")[1:], *three("the query")[1:])
    assert (len(finding.elsewhere), finding.notes) == (1, ("1 further place has the same cause: x.py:2",))
    (alone,) = findings(TEXT, three("the query")[0], three("the query")[0])
    assert (len(alone.elsewhere), alone.notes) == (0, ())


def test_a_note_names_only_the_first_of_many_places() -> None:
    text = "book.author\n" * 9
    (finding,) = findings(text, *(report(at("x.py", text, "book.author", number), cause="the query") for number in range(9)))
    assert finding.notes == ("8 further places have the same cause: x.py:2, x.py:3, x.py:4, …",)


def test_a_silenced_place_leaves_the_cause_to_the_next() -> None:
    text = TEXT.replace("\n", "  # ormlint: ignore[ORM101]\n", 1)
    reports = [report(at("x.py", text, "book.author", occurrence), cause="the query") for occurrence in range(3)]
    (finding,) = findings(text, *reports)
    assert (text.count("\n", 0, finding.site.start) + 1, len(finding.elsewhere)) == (2, 1)


def test_a_hidden_place_leaves_the_cause_to_the_next() -> None:
    judgement = judged({"x.py": TEXT}, rule_that(three("the query")), hides=lambda rule, site: "no" if site.start == 4 else "")
    assert [(finding.site.start, len(finding.elsewhere)) for finding in judgement.findings] == [(20, 1)]
    assert "no" in {dropped.reason for dropped in judgement.dropped}


def test_an_excluded_place_takes_the_finding_with_it() -> None:
    text = "rows = query()\nprint(book.author)\n"
    at_query = report(at("x.py", text, "book.author"), at("x.py", text, "query()"))
    judgement = judged({"x.py": text}, rule_that([at_query]), excludes=lambda site: "a test" if site.start == 7 else "")
    assert judgement.findings == []
    assert [dropped.reason for dropped in judgement.dropped] == ["a test"]


def test_a_report_that_is_less_certain_than_its_rule_needs_preview() -> None:
    rule = rule_that([replace(report(at("x.py", TEXT, "book.author")), preview=True)])
    judgement = judged({"x.py": TEXT}, rule)
    assert judgement.findings == []
    assert [dropped.reason for dropped in judgement.dropped] == ["is shown only with --preview"]
    assert len(judged({"x.py": TEXT}, rule, preview=True).findings) == 1


def test_a_comment_that_silences_what_only_preview_shows_is_used() -> None:
    text = TEXT.replace("\n", "  # ormlint: ignore[ORM101]\n", 1)
    rule = rule_that([replace(report(at("x.py", text, "book.author")), preview=True)])
    assert judged({"x.py": text}, rule).findings == []


def test_preview_does_not_change_who_speaks_for_a_cause() -> None:
    early, late = three("the query")[1:]
    rule = rule_that([replace(early, preview=True), late])
    assert [finding.site for finding in judged({"x.py": TEXT}, rule).findings] == [late.site]
    (finding,) = judged({"x.py": TEXT}, rule, preview=True).findings
    assert (finding.site, len(finding.elsewhere)) == (late.site, 1)


def test_what_else_a_call_leads_to_is_counted() -> None:
    text = "load(book)\nfirst()\nsecond()\nthird()\n"
    call = at("x.py", text, "load(book)")
    queries = [report(call, at("x.py", text, name), cause="the call") for name in ("first()", "second()", "third()", "third()")]
    (finding,) = findings(text, *(replace(query, counted_as="query") for query in queries))
    assert (len(finding.elsewhere), finding.notes) == (0, ("2 more queries behind this call",))
    (finding,) = findings(text, *(replace(write, counted_as="write") for write in queries[:2]))
    assert finding.notes == ("1 more write behind this call",)
    (finding,) = findings(text, *queries)
    assert finding.notes == ()


def test_a_fingerprint_survives_new_lines_and_new_indentation() -> None:
    before = findings("x = 1\nprint(book.author)\n", report(at("x.py", "x = 1\nprint(book.author)\n", "book.author")))
    moved = "x = 1\n\n\nif x:\n    print(book.author)\n"
    after = findings(moved, report(at("x.py", moved, "book.author")))
    assert before[0].fingerprint == after[0].fingerprint


def test_fingerprints_differ_by_text_relation_and_occurrence() -> None:
    text = "print(book.author)\nprint(book.author)\nprint(book.editor)\n"
    first, second = (report(at("x.py", text, "book.author", occurrence)) for occurrence in (0, 1))
    other = report(at("x.py", text, "book.editor"))
    related = report(at("x.py", text, "book.author"), cause="other", relations=["author"])
    assert len({finding.fingerprint for finding in findings(text, first, second, other, related)}) == 4


def test_a_rule_that_fails_is_a_problem_and_the_others_run() -> None:
    def fails() -> Iterator[Report]:
        yield report(at("x.py", TEXT, "book.author"))
        raise ZeroDivisionError("oh")

    good = rule_that([report(at("x.py", TEXT, "book.author", 1))], "ORM102", "related-collection-in-loop")
    judgement = judged({"x.py": TEXT}, rule_that(fails), good)
    assert [finding.code for finding in judgement.findings] == ["ORM101", "ORM102"]
    (problem,) = judgement.problems
    assert problem.kind == "internal"
    assert problem.message == "the rule ORM101 [related-object-in-loop] failed: ZeroDivisionError('oh')"
    assert "in fails" in problem.details
