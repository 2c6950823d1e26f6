"""The simulated vans: they follow the road, wait for windows, survive a no, and start anew each morning."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from apps.demo.phone_client import Rejected
from apps.demo.simulator import Van
from apps.routing.planner.travel import Point
from apps.routing.planner.travel_osrm import Leg

MORNING = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)


class Road:
    """Ten minutes between any two places."""

    def leg(self, source: Point, destination: Point) -> Leg:
        return Leg(((source.lat, source.lon), (destination.lat, destination.lon)), 600, 5000, (600.0,))


class Phone:
    """A server of one day with one stop whose window opens at nine (UTC)."""

    def __init__(self) -> None:
        self.day, self.departed, self.done = "2026-03-10", False, False
        self.said: list[tuple[str, datetime]] = []
        self.refuses_arrival = False
        self.waits_until: str | None = None
        self.breaks: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []

    def route(self) -> dict[str, Any]:
        drop = {"delivery": "x", "acknowledged": False, "instruction_version": 1, "recipient": "Alice", "parcels": 1}
        drop["messages"] = self.messages
        stop = {
            "visit": 1,
            "state": "planned",
            "kind": "address",
            "lat": 47.2,
            "lon": 9.52,
            "service_seconds": 120,
            "may_give_up_at": self.waits_until,
            "drops": [drop],
            "window": ["2026-03-10T09:00:00+00:00", "2026-03-10T11:00:00+00:00"],
        }
        return {
            "day": self.day,
            "starts_at": f"{self.day}T07:30:00+00:00",
            "departed_at": f"{self.day}T07:30:00+00:00" if self.departed else None,
            "depot": {"lat": 47.17, "lon": 9.51},
            "breaks": self.breaks,
            "stops": [] if self.done else [stop],
        }

    def read_message(self, message: int, *, sentence: str, at: datetime) -> None:
        self.said.append((f"read {message} {sentence}", at))
        self.messages = []

    def rest(self, *, begins: bool) -> None:
        self.said.append(("rest" if begins else "work", MORNING))

    def break_down(self) -> None:
        self.done = True
        self.said.append(("broken", MORNING))

    def depart(self, *, at: datetime) -> dict[str, Any]:
        self.departed = True
        self.said.append(("depart", at))
        return self.route()

    def acknowledge(self, delivery: str, version: int) -> None:
        if self.refuses_arrival:
            raise Rejected("404")

    def arrive(self, visit: int, *, at: datetime) -> None:
        self.said.append(("arrive", at))

    def complete(self, visit: int, stop: dict[str, Any], *, at: datetime) -> None:
        self.done = True
        self.said.append(("complete", at))

    def fail(self, visit: int, stop: dict[str, Any], *, reason: str, at: datetime) -> None:
        self.complete(visit, stop, at=at)

    def contact(self, delivery: str, *, channel: str, at: datetime) -> None:
        self.said.append((channel, at))

    def position(self, point: Point, *, at: datetime) -> None:
        self.said.append(("position", at))

    def when(self, what: str) -> list[datetime]:
        return [at for said, at in self.said if said == what]


def drive(van: Van, minutes: int, start: datetime = MORNING) -> None:
    for minute in range(minutes):
        van.tick(start + timedelta(minutes=minute))


def test_an_early_van_waits_until_the_window_opens() -> None:
    phone = Phone()
    phone.messages = [{"id": 7, "text": "Hello", "read": False, "answer": ""}]
    drive(Van(phone, Road(), Random(3)), 110)  # type: ignore[arg-type]
    assert len(phone.when("read 7 on_my_way")) == 1
    assert phone.when("arrive")[0] < MORNING + timedelta(minutes=15)
    assert phone.when("complete")[0] > datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def test_a_new_morning_starts_at_the_depot_whatever_was_left_undone() -> None:
    phone = Phone()
    van = Van(phone, Road(), Random(3))  # type: ignore[arg-type]
    drive(van, 5)
    phone.day, phone.departed = "2026-03-11", False
    drive(van, 20, MORNING + timedelta(days=1))
    assert len(phone.when("depart")) == 2
    assert phone.when("arrive")[-1] > MORNING + timedelta(days=1)


def test_a_van_that_is_told_no_asks_what_is_next() -> None:
    phone = Phone()
    phone.refuses_arrival = True
    van = Van(phone, Road(), Random(3))  # type: ignore[arg-type]
    drive(van, 30)
    phone.refuses_arrival = False
    drive(van, 120, MORNING + timedelta(minutes=30))
    assert phone.when("complete")


def test_a_van_that_finds_nobody_calls_and_waits_before_it_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.demo.simulator.FAILURE_SHARE", 1.0)
    monkeypatch.setattr("apps.demo.simulator.FAILURE_REASONS", {"consignee_not_home": 1})
    phone = Phone()
    phone.waits_until = "2026-03-10T09:30:00+00:00"
    drive(Van(phone, Road(), Random(3)), 130)  # type: ignore[arg-type]
    assert phone.when("call")[0] == phone.when("arrive")[0]
    assert phone.when("complete")[0] == datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


def test_a_driver_rests_where_the_plan_says_and_leaves_afterwards() -> None:
    phone = Phone()
    phone.breaks = [{"number": 0, "before": 1, "earliest": "2026-03-10T07:40:00+00:00", "seconds": 1800}]
    van = Van(phone, Road(), Random(1))  # type: ignore[arg-type]
    for minutes in range(0, 75, 5):
        van.tick(MORNING + timedelta(minutes=minutes))
    assert [word for word, _at in phone.said if word in ("rest", "work")] == ["rest", "work"]
    arrived = next(at for word, at in phone.said if word == "arrive")
    assert arrived >= MORNING + timedelta(minutes=40)


def test_a_van_that_broke_down_stays_where_it_is() -> None:
    phone = Phone()
    van = Van(phone, Road(), Random(1))  # type: ignore[arg-type]
    van.tick(MORNING)
    van.break_down(MORNING + timedelta(minutes=5))
    said = len(phone.said)
    for minutes in range(10, 180, 10):
        van.tick(MORNING + timedelta(minutes=minutes))
    assert [word for word, _at in phone.said[:said]][-1] == "broken"
    assert phone.said[said:] == []


@pytest.mark.covers("O2")
def test_a_van_back_at_the_depot_is_loaded_and_goes_on_without_a_proof_at_the_door() -> None:
    phone = Phone()
    first = phone.route()["stops"][0] | {"kind": "depot", "drops": [], "window": ["2026-03-10T07:30:00+00:00"] * 2}
    phone.route = lambda: {**Phone.route(phone), "stops": [] if phone.done else [first]}  # type: ignore[method-assign]
    loads: list[str] = []
    van = Van(phone, Road(), Random(1), load_up=lambda: loads.append("loaded"))  # type: ignore[arg-type]
    for minute in range(40):
        van.tick(MORNING + timedelta(minutes=minute))
    assert loads == ["loaded"]
    assert [word for word, _at in phone.said if word in ("depart", "arrive", "complete", "fail")] == [
        "depart",
        "arrive",
        "complete",
    ]
