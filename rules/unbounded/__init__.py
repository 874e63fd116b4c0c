"""Queries whose result grows with the data and leaves the program whole."""
