"""Classes of a framework that stand in for those that other packages derive from them, which change fields or choices, not what rows are read.

Names end with that of the class they derive from: `rest_framework_gis.serializers.GeoModelSerializer`,
`drf_writable_nested.WritableNestedModelSerializer`, `django_filters.rest_framework.FilterSet`.
"""

STAND_INS = {"ModelSerializer": "rest_framework.serializers", "FilterSet": "django_filters.filterset"}
"""By the end of a name: the module of the library that has the class."""

LOAD_THEMSELVES = frozenset({"dynamic_rest", "rest_framework_serializer_extensions"})
"""Packages whose classes add to a query what they will read of its rows."""


def stand_in(package: str, name: str) -> tuple[str, str] | None:
    """Returns the module and the name of the class that stands in for one of a package, or None."""
    if package in LOAD_THEMSELVES:
        return None
    return next(((module, end) for end, module in STAND_INS.items() if name.endswith(end)), None)
