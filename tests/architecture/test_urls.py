"""Every address says which right it needs."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from cabinets.enums import Right

OPERATORS = "exploitation/admin/"


def every_pattern(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from every_pattern(entry, address)
        else:
            yield address, entry


PATTERNS = [(address, entry) for address, entry in every_pattern(get_resolver()) if not address.startswith(OPERATORS)]


def test_states_the_right_each_view_requires() -> None:
    silent = [address for address, entry in PATTERNS if not hasattr(entry.callback, "required_right")]

    assert silent == []


def test_names_each_address_once() -> None:
    names = [entry.name or "" for _, entry in PATTERNS]

    assert ("" in names, sorted({name for name in names if names.count(name) > 1})) == (False, [])


def test_requires_only_rights_of_the_table() -> None:
    rights = {getattr(entry.callback, "required_right", None) for _, entry in PATTERNS}

    assert rights - {None} <= set(Right)
