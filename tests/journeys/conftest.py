"""One town for all journeys: the real processes, a day on the real roads. Each journey takes people of its own."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from apps.demo.run import ROOT
from tests import databases
from tests.journeys.processes import Town
from tests.journeys.shopper import Shopper

type Opens = Callable[..., Shopper]
type Picks = Callable[..., dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.alone)
            item.add_marker(pytest.mark.planner)


@pytest.fixture(scope="session")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The road network of `make demo` where there is one (it is brought up to date), else one of our own.

    With CI=true it becomes the demo's, which the launcher's test starts afterwards: it is built once.
    """
    made = Path(os.environ.get("JOURNEY_ROADS", ROOT / "var" / "roads"))
    shared = made.exists() or os.environ.get("CI", "").lower() == "true"
    return made if shared else tmp_path_factory.mktemp("roads")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, roads: Path) -> Iterator[Town]:
    databases.chromium()
    town = Town(tmp_path_factory.mktemp("town"), roads)
    try:
        town.make()
        town.start()
        yield town
    finally:
        town.stop()


@pytest.fixture
def town(running: Town) -> Iterator[Town]:
    yield running
    assert running.ask("parked") == []
    assert {day: plan["wrong"] for day, plan in running.ask("plans").items() if plan["wrong"]} == {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.failed and (town := item.funcargs.get("running")) is not None:  # type: ignore[attr-defined]
        report.sections.append(("the processes", town.logs()))
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=databases.chromium(), args=["--no-sandbox"])
        yield found
        found.close()


_taken: set[int] = set()


@pytest.fixture
def pick(town: Town) -> Picks:
    """Somebody on that van whom no journey has had yet; `nth` as an index of its route."""

    def picked(van: str, day: date, *, nth: int = -1, at_least: int = 0) -> dict[str, Any]:
        route = town.ask("people", van=van, day=day.isoformat())
        free = [one for one in route[at_least:] if one["id"] not in _taken]
        assert -len(free) <= nth < len(free), f"Nobody is left on {van}."
        one: dict[str, Any] = free[nth]
        _taken.add(one["id"])
        return one

    return picked


@pytest.fixture
def open_page(browser: Browser, town: Town) -> Iterator[Opens]:
    """Opens a person's page in a browser of their own. What a script throws or the policy forbids fails the journey."""
    contexts: list[BrowserContext] = []
    opened: list[Shopper] = []

    def opens(person: dict[str, Any], *, width: int = 390, script: bool = True) -> Shopper:
        size = {"width": width, "height": 844 if width > 320 else 640}
        context = browser.new_context(viewport=size, reduced_motion="reduce", java_script_enabled=script)  # type: ignore[arg-type]
        contexts.append(context)
        opened.append(Shopper(town, context, person, script=script))
        return opened[-1]

    yield opens
    wrong = [line for shopper in opened for line in shopper.wrong]
    for context in contexts:
        context.close()
    assert not wrong
