"""Fixes: what a rule wants changed becomes text edits, graded by who may apply them, and files."""

from ormlint.fixes.plan import plan_fixes
from ormlint.fixes.rewrite import diff_fixes, rewrite, unified_diff
from ormlint.fixes.write import MAX_PASSES, AppliedFixes, apply_fixes

__all__ = ["MAX_PASSES", "AppliedFixes", "apply_fixes", "diff_fixes", "plan_fixes", "rewrite", "unified_diff"]
