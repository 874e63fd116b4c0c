"""Queries that fetch more than is used of them."""
