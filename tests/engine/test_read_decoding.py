from __future__ import annotations

from pathlib import Path

import pytest

from ormlint.read.decoding import decode_source
from ormlint.read.errors import ReadError
from ormlint.read.files import read_text, write_text

MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("é = 1\r\n".encode(), "é = 1\r\n"),
        (MARK + "é\r".encode(), "é\r"),
        (MARK + b"# coding: utf-8\n", "# coding: utf-8\n"),
        ("# coding: latin-1\né".encode("latin-1"), "# coding: latin-1\né"),
        ("#!/bin/python\n# -*- coding: koi8-r -*-\nж".encode("koi8-r"), "#!/bin/python\n# -*- coding: koi8-r -*-\nж"),
        ("\n\n# coding: latin-1\né".encode(), "\n\n# coding: latin-1\né"),
    ],
)
def test_source_is_decoded_as_python_does(data: bytes, text: str) -> None:
    assert decode_source(data).text == text


@pytest.mark.parametrize(
    ("data", "message", "line", "column"),
    [
        (b"ab\nc\0", "binary content (a NUL byte)", 2, 2),
        ("é\né".encode() + b"\xff", "not valid utf-8: invalid start byte", 2, 2),
        (b"# coding: nonsense\n", "unknown encoding: nonsense", 1, 1),
        (MARK + b"# coding: latin-1\n", "encoding problem: utf-8", 1, 1),
        ("x".encode("utf-16"), "binary content (a NUL byte)", 1, 4),
    ],
)
def test_what_is_no_text_is_refused_with_its_place(data: bytes, message: str, line: int, column: int) -> None:
    with pytest.raises(ReadError) as caught:
        decode_source(data)
    assert (caught.value.message, caught.value.line, caught.value.column, caught.value.kind) == (message, line, column, "encoding")


def test_a_template_declares_no_encoding() -> None:
    assert decode_source("coding: latin-1 é".encode(), "django").text == "coding: latin-1 é"


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.py", MARK + "x = 'é'\r\n".encode()), ("a.py", "# coding: latin-1\rx = 'é'".encode("latin-1")), ("a.html", MARK + "{{ é }}\n".encode())],
)
def test_writing_keeps_encoding_mark_and_line_ends(tmp_path: Path, name: str, data: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    text = read_text(file)
    assert not text.startswith("\ufeff")
    write_text(file, text.replace("é", "ü"))
    assert file.read_bytes() == data.replace("é".encode(), "ü".encode()).replace("é".encode("latin-1"), "ü".encode("latin-1"))


def test_an_encoding_that_lacks_a_character_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(b"# coding: ascii\n")
    with pytest.raises(UnicodeEncodeError):
        write_text(file, "# coding: ascii\né\n")
    assert file.read_bytes() == b"# coding: ascii\n"
