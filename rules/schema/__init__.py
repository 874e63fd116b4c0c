"""Queries and tables whose shape in the database makes them costly."""
