"""Which rules' fixes the user trusts more, or less, than ormlint does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ormlint.judge.finding import Applicability, Fix
from ormlint.judge.rule import Rule
from ormlint.judge.select import resolve
from ormlint.problem import UsageError

DEMOTED = "the configuration counts fixes of this rule as unsafe"


@dataclass(frozen=True, slots=True)
class Grading:
    """The codes of the rules whose unsafe fixes count as safe, and of those whose safe fixes count as unsafe."""

    promoted: frozenset[str] = frozenset()
    demoted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rules: Sequence[Rule], safe: Sequence[str], unsafe: Sequence[str], origin: str) -> Grading:
        """Returns the grading that two lists of selectors ask for.

        The more specific selector wins. Raises UsageError for one that means no rule, and for two that are as specific and mean the same one.
        """
        votes = [(*resolve(selector, rules, f"{origin}: extend-safe-fixes"), True) for selector in safe]
        votes += [(*resolve(selector, rules, f"{origin}: extend-unsafe-fixes"), False) for selector in unsafe]
        verdict: dict[str, bool] = {}
        specific: dict[str, int] = {}
        for specificity, meant, is_safe in sorted(votes, key=lambda vote: vote[0]):
            for rule in meant:
                if specific.get(rule.code) == specificity and verdict[rule.code] is not is_safe:
                    raise UsageError(f"{origin}: {rule.code} [{rule.name}] is in both extend-safe-fixes and extend-unsafe-fixes")
                verdict[rule.code], specific[rule.code] = is_safe, specificity
        return cls(frozenset(code for code in verdict if verdict[code]), frozenset(code for code in verdict if not verdict[code]))

    def reason(self, code: str, reason: str) -> str:
        """Returns why a fix of a rule is unsafe for the user, "" if it is safe, given ormlint's own reason."""
        if code in self.promoted:
            return ""
        return reason or (DEMOTED if code in self.demoted else "")

    def graded(self, code: str, fix: Fix) -> Fix:
        """Returns a fix with the applicability that it has for the user; what is only shown stays so."""
        if fix.applicability is Applicability.DISPLAY:
            return fix
        reason = self.reason(code, fix.reason)
        return replace(fix, applicability=Applicability.UNSAFE if reason else Applicability.SAFE, reason=reason)
