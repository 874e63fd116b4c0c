"""The harness of the literate cases in `tests/fixtures` and of the rule pages."""
