"""Rules judged on query logs that are built by hand."""
