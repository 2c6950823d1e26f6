"""The suite's ground: which database, what time it is, and how the outbox is driven by hand."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connections

from apps.core import clock
from config.env import env_database
from tests import databases

HOME_ZONE = ZoneInfo("Europe/Vaduz")
START = datetime(2026, 3, 10, 8, 30, tzinfo=HOME_ZONE)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_clock: the domain's clock is not frozen in this test")
    scratch = Path(tempfile.mkdtemp(prefix="doorstep-test-"))
    # pytest-django has read the settings already; these are also what child processes of a test will read.
    changes = {"ROADS_DIR": scratch / "no-roads", "MATRIX_DIR": scratch / "matrices", "MEDIA_ROOT": scratch / "media"}
    changes["RUN_DIR"] = scratch / "run"
    for name, value in changes.items():
        os.environ[name] = str(value)
        setattr(settings, name, value)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    _choose_database()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What opens no database is not run a second time for the sake of another one."""
    if os.environ.get("TEST_DATABASE") != "postgres":
        return
    with_rows = [item for item in items if _opens_a_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if not _opens_a_database(item)])
    items[:] = with_rows


def _opens_a_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(
        fixtures & {"db", "transactional_db", "live_server", "django_db_setup"}
    )


def pytest_unconfigure() -> None:
    # SQLite's own side files outlive the database that Django deletes.
    for left in Path(databases.SCRATCH).glob(f"doorstep-test-{os.getpid()}*"):
        left.unlink(missing_ok=True)


def _choose_database() -> None:
    if os.environ.get("TEST_DATABASE") == "postgres":
        # Set beforehand by a CI service, or by the xdist controller for its workers.
        url = os.environ.get("TEST_POSTGRES_URL") or databases.start_postgres()
        os.environ["TEST_POSTGRES_URL"] = os.environ["DATABASE_URL"] = url
        chosen = env_database("DATABASE_URL", "")
    else:
        # A file, not memory: threads and child processes of a test open it too.
        file = Path(databases.SCRATCH) / f"doorstep-test-{os.getpid()}.sqlite3"
        chosen = env_database("NO_SUCH_VARIABLE", f"sqlite:///{file}")
        chosen["TEST"] = {"NAME": str(file)}
    settings.DATABASES["default"] = chosen
    connections.settings = connections.configure_settings(settings.DATABASES)
    if hasattr(connections._connections, "default"):
        connections["default"].close()
        del connections["default"]


@pytest.fixture(scope="session")
def redis_url() -> str:
    return databases.start_redis()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Playwright drives the Chromium that the system has."""
    return {**browser_type_launch_args, "executable_path": databases.chromium(), "args": ["--no-sandbox"]}


class FrozenClock:
    """The domain's time in a test; it moves only when told to."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    @property
    def instant(self) -> datetime:
        return clock.now()

    def set(self, instant: datetime) -> datetime:
        self._stack.enter_context(clock.frozen(instant))
        return clock.now()

    def advance(self, **duration: float) -> datetime:
        """now.advance(minutes=20)"""
        return self.set(clock.now() + timedelta(**duration))

    def at(self, time: str, days: int = 0) -> datetime:
        """The instant of a local "14:05" today, or `days` later; the clock does not move."""
        hour, minute = time.split(":")
        local = clock.now().astimezone(HOME_ZONE) + timedelta(days=days)
        return local.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)


@pytest.fixture(autouse=True)
def now(request: pytest.FixtureRequest) -> Iterator[FrozenClock]:
    """Holds the domain's clock at 2026-03-10 08:30 in Vaduz, unless the test is marked real_clock."""
    with ExitStack() as stack:
        frozen = FrozenClock(stack)
        if request.node.get_closest_marker("real_clock") is None:
            frozen.set(START)
        yield frozen


@pytest.fixture(autouse=True)
def no_kept_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link's token follows its number: the next test's first link would find the last one's page and openings."""
    from apps.core.throttles import LocalTries
    from apps.deliveries import access
    from apps.tracking.page_html import shelf

    shelf.clear()
    monkeypatch.setattr(access, "opens", LocalTries(access.WINDOW_SECONDS))


@pytest.fixture
def drain() -> Callable[..., int]:
    """Runs every due reaction, and those they cause, until none is left; a handler that fails fails the test.

    Debounces count as over. drain(planner=True) takes the planner's lane too; drain(failures=True) lets handlers fail;
    drain(retries=True) does not wait for back-offs either.
    """
    from apps.events.models import Reaction
    from apps.events.services import sweep

    def run_all(*, planner: bool = False, failures: bool = False, retries: bool = False) -> int:
        lanes = ("fast", "slow", "webhooks", *(("planner",) if planner else ()))
        total = 0
        while True:
            waiting = Reaction.objects.filter(state=Reaction.State.WAITING, lane__in=lanes)
            (waiting if retries else waiting.filter(attempts=0)).update(next_try_at=clock.wall())
            ran = sum(sweep(lane, limit=500, seconds=60.0) for lane in lanes)
            total += ran
            failed = Reaction.objects.filter(lane__in=lanes, attempts__gt=0).exclude(last_error="").first()
            if failed is not None and not failures:
                raise AssertionError(f"{failed.handler} failed: {failed.last_error}")
            if not ran:
                return total

    return run_all
