"""Drives the vans along real roads by the product's clock, as phones would: through the driver interface only.

Each van is a small state machine: waiting -> driving -> serving -> driving … -> done. `tick(now)` carries it forward to
an instant of domain time and sends what a phone would have sent on the way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from apps.demo import extract
from apps.demo.phone_client import DriverPhone, Rejected
from apps.routing.planner.travel import Point
from apps.routing.planner.travel_osrm import Leg

ZONE = ZoneInfo(extract.TIME_ZONE)
FAILURE_SHARE = 0.04
FAILURE_REASONS = {
    "consignee_not_home": 6,
    "consignee_access_restricted": 2,
    "consignee_incorrect_address": 1,
    "consignee_refused": 1,
}
NOT_HOME = "consignee_not_home"
# How often a driver with nothing to do looks at the phone.
NAP = timedelta(minutes=5)
DAY = timedelta(hours=12)
AWAKE = datetime.min.replace(tzinfo=UTC)
# What a driver takes longer or shorter than planned: drawn once per stop and leg.
DRIVING_NOISE = (0.92, 1.22)
SERVICE_NOISE = (0.6, 1.5)


class Road(Protocol):
    def leg(self, source: Point, destination: Point) -> Leg: ...


@dataclass
class Van:
    """One van with its phone. Degrees; instants are domain time, UTC."""

    phone: DriverPhone
    road: Road
    random: Random
    place: Point | None = None
    leg: Leg | None = None
    leg_began: datetime | None = None
    leg_stretch: float = 1.0
    heading_to: dict[str, Any] | None = None
    serving_until: datetime | None = None
    fails_with: str = ""
    route: dict[str, Any] = field(default_factory=dict)
    going_home: bool = False
    asleep_until: datetime = AWAKE
    resting_until: datetime | None = None
    rested: set[int] = field(default_factory=set)
    load_up: Callable[[], None] | None = None
    """What the clerk does when a van is back at the ramp."""

    @property
    def kind(self) -> str:
        return str(self.route.get("vehicle", {}).get("kind", ""))

    def break_down(self, now: datetime) -> None:
        """The van stands where it is; the driver says so and goes home."""
        self.phone.break_down()
        self.leg = self.leg_began = self.heading_to = self.serving_until = self.resting_until = None
        self.route, self.going_home, self.asleep_until = {**self.route, "stops": []}, False, now + DAY

    def tick(self, now: datetime) -> None:
        """Catches up to `now`; a phone without signal (a restarted server) simply tries again at the next tick."""
        if self.route and self.route["day"] != str(now.astimezone(ZONE).date()):
            self._start_over()
        if not self.route.get("stops") and not self.going_home and now >= self.asleep_until:
            self._wake(now)
        for _ in range(8):  # at most so many events in one tick: the clock may have jumped
            if not self._advance(now):
                break
        if self.place is not None:
            self._report(now)

    def _start_over(self) -> None:
        """A new morning: the van stands at the depot, whatever yesterday left undone."""
        self.place = self.leg = self.leg_began = self.heading_to = self.serving_until = None
        self.resting_until, self.rested = None, set()
        self.route, self.going_home, self.asleep_until = {}, False, AWAKE

    def _wake(self, now: datetime) -> None:
        """Before the shift, or after the last stop: look whether there is work (again)."""
        self.route, self.asleep_until = self.phone.route(), now + NAP
        if not self.route.get("stops"):
            return
        depot = self.route["depot"]
        self.place = self.place or Point(depot["lat"], depot["lon"])
        starts = datetime.fromisoformat(self.route["starts_at"])
        if self.route["departed_at"] is None:
            if now < starts:
                self.route = {}
                return
            self.route = self.phone.depart(at=max(starts, now - timedelta(minutes=1)))
        self._head_for_next(now)

    def _advance(self, now: datetime) -> bool:
        """One step of the state machine; False when nothing more happens before `now`."""
        if self.serving_until is not None:
            if now < self.serving_until:
                return False
            self._finish_stop(self.serving_until)
            return True
        if self.resting_until is not None:
            if now < self.resting_until:
                return False
            self.phone.rest(begins=False)
            since, self.resting_until = self.resting_until, None
            self._head_for_next(since)
            return True
        if self.leg is None or self.leg_began is None:
            return False
        arrival = self.leg_began + timedelta(seconds=self.leg.seconds * self.leg_stretch)
        if now < arrival:
            elapsed = (now - self.leg_began).total_seconds() / self.leg_stretch
            self.place = Point(*self.leg.at(elapsed))
            return False
        self.place = Point(*self.leg.geometry[-1])
        self.leg = None
        self._arrive(arrival)
        return True

    def _arrive(self, at: datetime) -> None:
        if self.heading_to is None:
            self.going_home = False
            self.route = {}
            return
        visit = self.heading_to
        try:
            for drop in visit["drops"]:
                if not drop["acknowledged"]:
                    self.phone.acknowledge(drop["delivery"], drop["instruction_version"])
            for notice in self.route.get("notices", ()):
                self.phone.read_notice(notice["id"])
            self.phone.arrive(visit["visit"], at=at)
        except Rejected:  # cancelled or moved while driving there: ask what is next
            self._head_for_next(at)
            return
        # Nobody is at home before the window opens: an early driver waits in the van.
        begins = max(at, datetime.fromisoformat(visit["window"][0]))
        self.serving_until = begins + timedelta(seconds=visit["service_seconds"] * self.random.uniform(*SERVICE_NOISE))
        self.fails_with = ""
        if visit["kind"] == "depot" and self.load_up is not None:
            self.load_up()
        if visit["kind"] == "address" and self.random.random() < FAILURE_SHARE:
            self._nobody_takes_it(visit, at)

    def _nobody_takes_it(self, visit: dict[str, Any], at: datetime) -> None:
        """Draws why; nobody at home is called, and waited for, as the phone asks."""
        self.fails_with = self.random.choices(list(FAILURE_REASONS), list(FAILURE_REASONS.values()))[0]
        if self.fails_with != NOT_HOME:
            return
        for drop in visit["drops"]:
            self.phone.contact(drop["delivery"], channel="call", at=at)
        waits = self.phone.route()["stops"][0].get("may_give_up_at")
        if waits and self.serving_until is not None:
            self.serving_until = max(self.serving_until, datetime.fromisoformat(waits))

    def _finish_stop(self, at: datetime) -> None:
        visit, self.serving_until = self.heading_to, None
        if visit is not None:
            try:
                if self.fails_with:
                    self.phone.fail(visit["visit"], visit, reason=self.fails_with, at=at)
                else:
                    self.phone.complete(visit["visit"], visit, at=at)
            except Rejected:
                pass  # someone else closed the stop; the route tells what is next
        self._head_for_next(at)

    def _head_for_next(self, now: datetime) -> None:
        self.route = self.phone.route()
        stops = self.route.get("stops") or []
        assert self.place is not None
        if self._rests(stops[0]["visit"] if stops else None, now):
            return
        if stops:
            self.heading_to = stops[0]
            target = Point(stops[0]["lat"], stops[0]["lon"])
            self._read_messages(stops[0], now)
            if stops[0]["state"] == "arrived":  # the simulator was restarted while a stop was being served
                self.place = target
                self.serving_until = now + timedelta(seconds=60)
                return
        else:
            self.heading_to, self.going_home = None, True
            target = Point(self.route["depot"]["lat"], self.route["depot"]["lon"])
        self.leg = self.road.leg(self.place, target)
        self.leg_began, self.leg_stretch = now, self.random.uniform(*DRIVING_NOISE)

    def _read_messages(self, stop: dict[str, Any], now: datetime) -> None:
        """What the people of the next stop wrote is read, and answered, before driving there."""
        for drop in stop["drops"]:
            for message in drop.get("messages", ()):
                if not message["read"]:
                    self.phone.read_message(message["id"], sentence="on_my_way", at=now)

    def _rests(self, before: int | None, now: datetime) -> bool:
        """Takes the break that the plan has before leaving towards that stop; True while it lasts."""
        due = [one for one in self.route.get("breaks", ()) if one["number"] not in self.rested]
        if not due or due[0]["before"] != before:
            return False
        self.rested.add(due[0]["number"])
        begins = max(now, datetime.fromisoformat(due[0]["earliest"]))
        self.phone.rest(begins=True)
        self.leg, self.resting_until = None, begins + timedelta(seconds=due[0]["seconds"])
        return True

    def _report(self, now: datetime) -> None:
        assert self.place is not None
        if self.kind == "carrier":  # another firm's van: its phone tells stops, not where it is
            return
        if self.leg is not None or self.serving_until is not None:
            self.phone.position(self.place, at=now)
