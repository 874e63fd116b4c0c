"""Finds the packages: those below `ormlint/` as they stand, and `rules/` as `ormlint.rules`.

Everything else about the distribution is declared in pyproject.toml. Declaring the packages there would mean
listing every rule family by hand, since a package that stands elsewhere than its name says cannot be found
by pattern.
"""

from setuptools import find_packages, setup

engine = find_packages(include=["ormlint", "ormlint.*"])
rules = ["ormlint.rules", *(f"ormlint.rules.{family}" for family in find_packages("rules"))]

setup(packages=engine + rules)
