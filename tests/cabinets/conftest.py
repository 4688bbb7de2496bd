"""The shared cache is emptied around each test: tries counted in one are not counted in the next."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _no_try_survives() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
