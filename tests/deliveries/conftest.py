from collections.abc import Iterator

import pytest
from django.core.cache import cache

from apps.core import clock


@pytest.fixture(autouse=True)
def fresh_throttles() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def still_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A throttle's window does not end in the middle of the test."""
    instant = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: instant)
