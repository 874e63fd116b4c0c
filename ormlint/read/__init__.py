"""From source files to the intermediate language."""
