"""Queries that a loop repeats for every row."""
