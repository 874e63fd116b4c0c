"""Colour for reports, or none."""

from __future__ import annotations

from dataclasses import dataclass

from ormlint.judge.finding import Mark, Severity

RESET = "\x1b[0m"
CODES = {
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
    "red": "\x1b[1;31m",
    "yellow": "\x1b[1;33m",
    "cyan": "\x1b[1;36m",
    "blue": "\x1b[1;34m",
    "green": "\x1b[1;32m",
}
OF_SEVERITY = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
OF_MARK = {Mark.QUERY: "cyan", Mark.LOOP: "blue", Mark.CALL: "blue", Mark.DECLARATION: "cyan", Mark.ACCESS: "yellow"}


@dataclass(frozen=True, slots=True)
class Ink:
    """Writes text in a style, or plainly if colour is off."""

    enabled: bool = False

    def __call__(self, style: str, text: str) -> str:
        """Returns the text in the style."""
        return f"{CODES[style]}{text}{RESET}" if self.enabled and text else text
