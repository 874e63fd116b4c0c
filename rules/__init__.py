"""The rules, one module and one page each, in a package per family; shipped as `ormlint.rules`."""
