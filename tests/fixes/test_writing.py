from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ormlint.fixes import apply_fixes, diff_fixes
from ormlint.judge.finding import Applicability, Finding, Fix, Severity
from ormlint.text import Edit, Site


def finding(*edits: Edit, applicability: Applicability = Applicability.SAFE) -> Finding:
    fix = Fix(applicability, "change", edits)
    return Finding("ORM101", "", "", Severity.WARNING, Site(edits[0].path, 0, 1), "", "", fix=fix)


def edit(text: str, part: str, content: str, path: str = "a.py") -> Edit:
    start = text.index(part)
    return Edit(path, start, start + len(part), content)


def write(root: Path, text: str, name: str = "a.py", encoding: str = "utf-8") -> Path:
    (root / name).write_bytes(text.encode(encoding))
    return root / name


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("x = 1\r\ny = 2\r\n", "utf-8"),
        ("x = 1\ny = 'ü'", "utf-8"),
        ("x = 1\ny = 'ü'\n", "utf-8-sig"),
        ("# coding: latin-1\nx = 1\ny = 'ü'\n", "latin-1"),
    ],
)
def test_encoding_mark_and_line_endings_stay(tmp_path: Path, text: str, encoding: str) -> None:
    path = write(tmp_path, text, encoding=encoding)
    outcome = apply_fixes([finding(edit(text, "= 1", "= 11"))], str(tmp_path), lambda _: text, unsafe=False)
    assert (outcome.written, outcome.problems) == (["a.py"], [])
    assert path.read_bytes() == text.replace("x = 1", "x = 11").encode(encoding)


def test_the_mode_stays_and_no_other_file_is_left(tmp_path: Path) -> None:
    path = write(tmp_path, "x = 1\n")
    path.chmod(0o754)
    apply_fixes([finding(edit("x = 1\n", "1", "2"))], str(tmp_path), lambda _: "x = 1\n", unsafe=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert os.listdir(tmp_path) == ["a.py"]


def test_the_target_of_a_link_is_written(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target = write(tmp_path / "far", "x = 1\n", "b.py")
    (tmp_path / "a.py").symlink_to(target)
    apply_fixes([finding(edit("x = 1\n", "1", "2"))], str(tmp_path), lambda _: "x = 1\n", unsafe=False)
    assert (tmp_path / "a.py").is_symlink()
    assert target.read_text() == "x = 2\n"


@pytest.mark.parametrize(("what", "message"), [("read-only", "the file is read-only"), ("changed", "has changed since"), ("gone", "No such file")])
def test_a_file_that_must_not_be_written_is_a_problem_and_the_rest_goes_on(tmp_path: Path, what: str, message: str) -> None:
    path = write(tmp_path, "x = 1\n")
    other = write(tmp_path, "x = 1\n", "b.py")
    if what == "read-only":
        path.chmod(0o444)
    elif what == "changed":
        path.write_text("x = 3\n")
    else:
        path.unlink()
    findings = [finding(edit("x = 1\n", "1", "2")), finding(edit("x = 1\n", "1", "2", "b.py"))]
    outcome = apply_fixes(findings, str(tmp_path), lambda _: "x = 1\n", unsafe=False)
    assert outcome.written == ["b.py"]
    assert other.read_text() == "x = 2\n"
    (problem,) = outcome.problems
    assert (problem.path, problem.kind) == ("a.py", "io")
    assert message in problem.message
    assert outcome.dropped == findings[:1]
    assert what != "read-only" or path.read_text() == "x = 1\n"


def test_unsafe_fixes_are_applied_on_request_and_shown_ones_never(tmp_path: Path) -> None:
    text = "x = 1\ny = 2\nz = 3\n"
    path = write(tmp_path, text)
    findings = [
        finding(edit(text, "1", "10")),
        finding(edit(text, "2", "20"), applicability=Applicability.UNSAFE),
        finding(edit(text, "3", "30"), applicability=Applicability.DISPLAY),
    ]
    assert diff_fixes(findings, lambda _: text, unsafe=True).count("\n+") == 3  # with the +++ line
    outcome = apply_fixes(findings, str(tmp_path), lambda _: text, unsafe=False)
    assert outcome.applied == findings[:1]
    assert path.read_text() == "x = 10\ny = 2\nz = 3\n"


def test_what_overlaps_or_touches_waits_and_equal_edits_are_one(tmp_path: Path) -> None:
    text = "x = abc\n"
    path = write(tmp_path, text)
    shared = Edit("a.py", 0, 0, "import y\n")
    findings = [
        finding(shared, edit(text, "ab", "AB")),
        finding(shared, edit(text, "bc", "BC")),
        finding(edit(text, "c", "C")),
        finding(shared),
    ]
    outcome = apply_fixes(findings, str(tmp_path), lambda _: text, unsafe=False)
    assert outcome.applied == [findings[0], findings[3]]
    assert outcome.deferred == [findings[1], findings[2]]
    assert path.read_text() == "import y\nx = ABc\n"


def test_a_fix_that_breaks_the_syntax_is_dropped_and_told(tmp_path: Path) -> None:
    text = "x = 1\ny = 2\n"
    path = write(tmp_path, text)
    findings = [finding(edit(text, "1", "(")), finding(edit(text, "2", "3"))]
    outcome = apply_fixes(findings, str(tmp_path), lambda _: text, unsafe=False)
    assert (outcome.applied, outcome.dropped) == (findings[1:], findings[:1])
    (problem,) = outcome.problems
    assert problem.kind == "internal"
    assert "ORM101" in problem.message
    assert path.read_text() == "x = 1\ny = 3\n"


def test_an_encoding_that_cannot_express_the_fix(tmp_path: Path) -> None:
    text = "# coding: ascii\nx = 1\n"
    path = write(tmp_path, text)
    outcome = apply_fixes([finding(edit(text, "1", "'ü'"))], str(tmp_path), lambda _: text, unsafe=False)
    assert (outcome.applied, outcome.written) == ([], [])
    assert "encoding" in outcome.problems[0].message
    assert path.read_text() == text
    assert os.listdir(tmp_path) == ["a.py"]


def test_the_diff(tmp_path: Path) -> None:
    text = "a\nb\nc = 1"
    assert diff_fixes([finding(edit(text, "1", "2"))], lambda _: text, unsafe=False) == (
        "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n a\n b\n-c = 1\n\\ No newline at end of file\n+c = 2\n\\ No newline at end of file\n"
    )


def test_a_file_that_changes_while_it_is_fixed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "x = 1\n")
    real = os.chmod

    def slow(target: str, mode: int) -> None:
        path.write_text("x = 3\n")
        real(target, mode)

    monkeypatch.setattr("ormlint.fixes.write.os.chmod", slow)
    outcome = apply_fixes([finding(edit("x = 1\n", "1", "2"))], str(tmp_path), lambda _: "x = 1\n", unsafe=False)
    assert (outcome.written, path.read_text(), os.listdir(tmp_path)) == ([], "x = 3\n", ["a.py"])
    assert "has changed since" in outcome.problems[0].message


def test_what_a_link_out_of_the_project_leads_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "project").mkdir()
    target = write(tmp_path / "far", "x = 1\n", "b.py")
    (tmp_path / "project/a.py").symlink_to(target)
    (tmp_path / "project/more").symlink_to(tmp_path / "far")
    findings = [finding(edit("x = 1\n", "1", "2")), finding(edit("x = 1\n", "1", "3", "more/b.py"))]
    outcome = apply_fixes(findings, str(tmp_path / "project"), lambda _: "x = 1\n", unsafe=False)
    assert (outcome.written, target.read_text()) == ([], "x = 1\n")
    message = f"not fixed: it is a link out of the project, to {target}"
    assert [(problem.path, problem.message) for problem in outcome.problems] == [("a.py", message), ("more/b.py", message)]


TERMINATED = """
import os, signal, sys
from ormlint.fixes import write
from tests.fixes.test_writing import edit, finding

def chmod(path, mode):
    os.kill(os.getpid(), signal.SIGTERM)  # between the making of the temporary file and its renaming

write.os.chmod = chmod
write.apply_fixes([finding(edit("x = 1\\n", "1", "2"))], sys.argv[1], lambda _: "x = 1\\n", unsafe=False)
print("alive")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a termination there waits for nothing")
def test_a_termination_waits_until_the_file_is_written(tmp_path: Path) -> None:
    path = write(tmp_path, "x = 1\n")
    done = subprocess.run([sys.executable, "-c", TERMINATED, str(tmp_path)], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert (os.listdir(tmp_path), path.read_text()) == (["a.py"], "x = 2\n")
