"""`python -m ormlint` is `ormlint`: one run of one process."""

import gc

from ormlint.cli import main


def run() -> None:
    """Runs the command line without the garbage collector: what it would look through again and again is needed to the end."""
    gc.disable()
    main(prog_name="ormlint")


if __name__ == "__main__":
    run()
