"""How many projects are made: some hundred as a rule, `--hypothesis-profile long` for the thousands of a long run."""

from __future__ import annotations

try:
    from hypothesis import HealthCheck, settings
except ModuleNotFoundError:  # it comes with the `test` extra
    collect_ignore_glob = ["test_*.py"]
else:
    everything = list(HealthCheck)
    settings.register_profile("short", max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=everything)
    settings.register_profile("long", max_examples=2500, deadline=None, suppress_health_check=everything)
    settings.load_profile("short")


def pytest_report_header() -> str | None:
    """Returns a line for the head of pytest's output if the generated projects cannot be made."""
    return "generated projects: left out, for hypothesis is not installed" if "settings" not in globals() else None
