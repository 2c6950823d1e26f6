"""Throttles start at nought in every test."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()
