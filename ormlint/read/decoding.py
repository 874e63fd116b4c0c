"""From the bytes of a file to its text: PEP 263, byte order marks, and what is no text at all."""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path

from ormlint.read.errors import ReadError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_TWO_LINES = re.compile(rb"[^\r\n]*(?:\r\n?|\n|\Z)[^\r\n]*(?:\r\n?|\n|\Z)")


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a file without its byte order mark, and what is needed to write it back."""

    text: str
    encoding: str
    has_mark: bool

    def encode(self, text: str) -> bytes:
        """Returns another text as bytes in the same encoding.

        Raises UnicodeEncodeError if the encoding lacks a character of it.
        """
        return (_BYTE_ORDER_MARK if self.has_mark else b"") + text.encode(self.encoding)


def decode_source(data: bytes, language: str = "python") -> SourceText:
    """Returns the text of a file, line ends untouched; only Python files declare an encoding, templates are UTF-8.

    Raises ReadError (kind "encoding") on binary content, unknown encodings and bytes that are not of the encoding.
    """
    if b"\0" in data:
        raise ReadError("binary content (a NUL byte)", *_place(data, data.index(b"\0")), kind="encoding")
    has_mark = data.startswith(_BYTE_ORDER_MARK)
    if has_mark:
        data = data[len(_BYTE_ORDER_MARK) :]
    encoding = _declared_encoding(data, has_mark) if language == "python" else "utf-8"
    try:
        return SourceText(data.decode(encoding), encoding, has_mark)
    except UnicodeDecodeError as error:
        raise ReadError(f"not valid {encoding}: {error.reason}", *_place(data, error.start), kind="encoding") from error


def read_text(path: str | Path) -> str:
    """Returns the text of a file as `read_files` sees it.

    Raises OSError if the file cannot be opened and ReadError if it is no text.
    """
    return _decode_file(Path(path)).text


def write_text(path: str | Path, text: str) -> None:
    """Replaces the text of a file; its encoding, byte order mark and line ends stay as they are.

    Raises OSError if the file cannot be written, ReadError if it is no text, UnicodeEncodeError if its encoding lacks a character.
    """
    file = Path(path)
    file.write_bytes(_decode_file(file).encode(text))


def _decode_file(path: Path) -> SourceText:
    return decode_source(path.read_bytes(), "python" if path.suffix in (".py", ".pyi", ".pyw") else "django")


def _declared_encoding(data: bytes, has_mark: bool) -> str:
    lines = _FIRST_TWO_LINES.match(data)
    if lines is None or b"coding" not in lines[0]:
        return "utf-8"
    head = lines[0].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO((_BYTE_ORDER_MARK if has_mark else b"") + head).readline)
    except SyntaxError as error:
        raise ReadError(error.msg, kind="encoding") from error
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _place(data: bytes, offset: int) -> tuple[int, int]:
    line_start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[line_start:offset].decode("utf-8", "replace")) + 1
