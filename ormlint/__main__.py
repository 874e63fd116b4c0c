"""`python -m ormlint` is `ormlint`."""

from ormlint.cli import main

main(prog_name="ormlint")
