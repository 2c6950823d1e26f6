"""A visitor at the wheel: the simulator lets go of a van; it drives on when told to, and everything else is tapped."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.core import clock
from apps.core.geo import distance_metres
from apps.deliveries.models import Delivery
from apps.deliveries.selectors import full_link_of
from apps.deliveries.services import tracking_path
from apps.demo.models import DemoKey
from apps.demo.simulator import AWAKE, Van
from apps.drivers.selectors import Round, Stop, round_of
from apps.fleet.models import Position
from apps.fleet.services import find_driver
from apps.routing.models import Visit
from apps.routing.planner.travel import Point

COOKIE = "device"


@dataclass
class Wheel:
    """What a van does while a visitor drives it: along the road to the next stop, and no further."""

    van: Van
    told_at: datetime | None = None

    def tick(self, now: datetime, drive_on_at: datetime | None) -> None:
        """`drive_on_at` is when the visitor last told it to drive on."""
        if drive_on_at is not None and drive_on_at != self.told_at:
            self.told_at = drive_on_at
            self._head_for_next(drive_on_at)
        van = self.van
        if van.leg is None or van.leg_began is None or van.heading_to is None:
            return
        elapsed = (now - van.leg_began).total_seconds()
        if elapsed < van.leg.seconds:
            van.place = Point(*van.leg.at(elapsed))
        else:
            van.place = Point(van.heading_to["lat"], van.heading_to["lon"])
        van.phone.position(van.place, at=now)
        if elapsed >= van.leg.seconds:
            van.leg = van.heading_to = None

    def _head_for_next(self, now: datetime) -> None:
        van = self.van
        route = van.phone.route()
        stops = route.get("stops") or []
        if not stops or route["departed_at"] is None:
            return
        van.place = van.place or Point(route["depot"]["lat"], route["depot"]["lon"])
        van.heading_to, van.leg_began = stops[0], now
        van.leg = van.road.leg(van.place, Point(stops[0]["lat"], stops[0]["lon"]))


def let_go(van: Van) -> None:
    """The simulator takes its hands off: whatever it was about to do is for the visitor."""
    van.leg = van.leg_began = van.heading_to = van.serving_until = None
    van.fails_with = ""


def take_back(van: Van) -> None:
    """The simulator goes on from where the van stands."""
    let_go(van)
    van.route, van.going_home, van.asleep_until = {}, False, AWAKE


@require_POST
def take(_request: HttpRequest, key_id: int) -> HttpResponse:
    """From the start page into the driver's seat."""
    key = DemoKey.objects.filter(pk=key_id, kind=DemoKey.Kind.DRIVER).first()
    if key is None:
        raise Http404
    DemoKey.objects.filter(pk=key.pk).update(taken_at=clock.now(), drive_on_at=None)
    return redirect("drivers:enter", key.secret)


@require_POST
def drive_on(request: HttpRequest) -> HttpResponse:
    _mine(request, drive_on_at=clock.now())
    return HttpResponseRedirect(reverse("drivers:round"), status=303)


@require_POST
def hand_back(request: HttpRequest) -> HttpResponse:
    _mine(request, taken_at=None, drive_on_at=None)
    return redirect("demo:start")


def controls(request: HttpRequest) -> dict[str, object]:
    """For templates of the driver's page: what a visitor may do there besides a driver's work."""
    key = _key_of(request) if request.path.startswith("/driver/") else None
    if key is None or key.taken_at is None:
        return {}
    driver = find_driver(key.secret)
    found = round_of(driver) if driver else None
    stop = found.following if found else None
    told: dict[str, object] = {"template": "demo/_wheel.html", "customer": "", "metres": None, "can_drive": False}
    if found is not None and stop is not None and found.route is not None:
        told["can_drive"] = found.route.departed_at is not None and stop.state == Visit.State.PLANNED
        told["customer"], told["metres"] = _page_of(stop), _metres_to(stop, found)
    return {"demo_controls": told}


def _key_of(request: HttpRequest) -> DemoKey | None:
    token = request.COOKIES.get(COOKIE, "")
    return DemoKey.objects.filter(kind=DemoKey.Kind.DRIVER, secret=token).first() if token else None


def _mine(request: HttpRequest, **values: datetime | None) -> None:
    key = _key_of(request)
    if key is None or key.taken_at is None:
        raise Http404
    DemoKey.objects.filter(pk=key.pk).update(**values)


def _page_of(stop: Stop) -> str:
    """The tracking page of whoever waits there; nobody does at the depot."""
    delivery = Delivery.objects.filter(public_id__in=[drop.delivery for drop in stop.drops[:1]]).first()
    link = full_link_of(delivery.pk) if delivery else None
    return tracking_path(link) if link else ""


def _metres_to(stop: Stop, found: Round) -> int | None:
    """As the crow flies; None when nobody knows where the van is."""
    position = Position.objects.filter(vehicle=found.shift.vehicle).first()
    if position is None:
        return None
    return round(distance_metres((position.latitude, position.longitude), stop.place.point))
