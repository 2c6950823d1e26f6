from collections.abc import Iterator

import pytest
from django.core.cache import cache

from tests.storefront.shop import Shop, ground


@pytest.fixture(autouse=True)
def fresh_throttles() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def shop(db: None) -> Shop:
    """Alpenkorb, on a day with two vans."""
    ground()
    return Shop()
