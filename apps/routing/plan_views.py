"""The dispatcher's page of a day: what it shows, the tracks of its map, and its buttons."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.errors import DoorstepError
from apps.fleet.models import Depot, Position, Shift
from apps.routing import roads, timeline
from apps.routing.board import Board, VanLine, board_of
from apps.routing.models import DayPlan
from apps.routing.planner.travel import Point, TravelError
from apps.routing.planner.travel_osrm import RoadNetwork
from apps.routing.services import ask_by_hand, break_down, mark_sick, publish, roll_back

type LonLat = tuple[float, float]
_THINNED_METRES_SQUARED = 1.6e-8
"""Degrees squared: points of a track that lie closer to the last one (about 14 m) say nothing at a day's scale."""


def page_of(plan: DayPlan) -> dict[str, Any]:
    """The context of templates/admin/routing/dayplan/change_form.html."""
    board = board_of(plan)
    return {
        "board": board,
        "gantt": timeline.draw(board),
        "marks": _marks(board),
        "modes": [(mode, words) for mode, words in Depot.ReplanMode.choices if mode],
        "policies": Depot.ReplanPolicy.choices,
        "can_go_back": plan.stage == DayPlan.Stage.DRAFT and plan.earlier is not None,
    }


@require_safe
def tracks(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Where each van drives, as [longitude, latitude] along the roads; straight between stops where none is known."""
    _operator(request)
    plan = get_object_or_404(DayPlan.objects.select_related("depot"), pk=plan_id)
    found = [
        {
            "van": van.shift.vehicle.code,
            "colours": van.colours,
            "line": _track(van, Point(plan.depot.latitude, plan.depot.longitude)),
        }
        for van in board_of(plan).vans
        if van.stops and van.shift.vehicle.kind != van.shift.vehicle.Kind.CARRIER
    ]
    return JsonResponse({"tracks": found})


@require_POST
def act(request: HttpRequest, plan_id: int) -> HttpResponse:
    """One button of the page: `do`, and the shift, mode or policy it is about."""
    _operator(request)
    plan = get_object_or_404(DayPlan.objects.select_related("depot"), pk=plan_id)
    chosen = _ACTIONS.get(request.POST.get("do", ""))
    if chosen is not None:
        try:
            messages.success(request, chosen(plan, request))
        except DoorstepError as error:
            messages.error(request, error.message)
    return redirect(reverse("admin:routing_dayplan_change", args=[plan.pk]))


def _operator(request: HttpRequest) -> None:
    if not (request.user.is_active and request.user.is_superuser):
        raise PermissionDenied


def _actor(request: HttpRequest) -> str:
    return f"agent:{request.user.pk}"


def _publish(plan: DayPlan, request: HttpRequest) -> str:
    publish(plan=plan, actor=_actor(request))
    return _("The plan is published: it counts from now on.")


def _replan(plan: DayPlan, request: HttpRequest) -> str:
    mode, policy = request.POST.get("mode", ""), request.POST.get("policy", "")
    ask_by_hand(
        plan=plan,
        mode=mode if mode in Depot.ReplanMode.values else "",
        policy=policy if policy in Depot.ReplanPolicy.values else "",
    )
    return _("The planner looks at the whole day now. What it finds stands in the list of re-plans.")


def _sick(plan: DayPlan, request: HttpRequest) -> str:
    shift = _shift(plan, request)
    count = mark_sick(shift=shift, actor=_actor(request))
    return _("%(driver)s is off. %(count)s stops look for another van.") % {"driver": shift.driver, "count": count}


def _broken(plan: DayPlan, request: HttpRequest) -> str:
    shift = _shift(plan, request)
    count = break_down(shift=shift, actor=_actor(request))
    return _("%(van)s is off the road. It leaves %(count)s stops.") % {"van": shift.vehicle, "count": count}


def _back(plan: DayPlan, _request: HttpRequest) -> str:
    roll_back(plan=plan)
    return _("The draft stands as it did before the last one was built.")


def _shift(plan: DayPlan, request: HttpRequest) -> Shift:
    number = request.POST.get("shift", "")
    shifts = Shift.objects.filter(vehicle__depot=plan.depot, day=plan.day).select_related("vehicle", "driver")
    return get_object_or_404(shifts, pk=int(number) if number.isdecimal() else 0)


_ACTIONS: dict[str, Callable[[DayPlan, HttpRequest], str]] = {
    "publish": _publish,
    "replan": _replan,
    "sick": _sick,
    "broken": _broken,
    "back": _back,
}


def _marks(board: Board) -> list[dict[str, Any]]:
    """Numbered stops per van, the depot, the vans where they are, and what no van takes."""
    depot = board.plan.depot
    marks: list[dict[str, Any]] = [
        {"kind": "depot", "lat": depot.latitude, "lon": depot.longitude, "label": depot.name}
    ]
    for van in board.vans:
        for stop in van.stops:
            if not stop.is_reload:
                words = ", ".join([f"{van.shift.vehicle.code} {stop.number}", *stop.orders, stop.town])
                lat, lon = stop.point
                mark = {"kind": "stop", "lat": lat, "lon": lon, "label": words, "text": str(stop.number)}
                marks.append({**mark, "track": van.colour, "late": stop.late_minutes > 0})
    for left in board.left_out:
        lat, lon = left.point
        marks.append({"kind": "left", "lat": lat, "lon": lon, "label": f"{', '.join(left.orders)}: {left.why}"})
    positions = Position.objects.filter(vehicle__in=[van.shift.vehicle_id for van in board.vans if board.now])
    codes = {van.shift.vehicle_id: van.shift.vehicle.code for van in board.vans}
    return marks + [
        {"kind": "van", "lat": one.latitude, "lon": one.longitude, "label": codes[one.vehicle_id]} for one in positions
    ]


def _track(van: VanLine, depot: Point) -> list[LonLat]:
    points = [depot, *(Point(*stop.point) for stop in van.stops), depot]
    return list(_thinned(_along(van.shift.vehicle.profile, points)))


def _along(profile: str, points: list[Point]) -> Iterator[LonLat]:
    network = roads.network(profile)
    for start, end in pairwise(points):
        try:
            leg = network.leg(start, end).geometry if isinstance(network, RoadNetwork) else None
        except TravelError:
            leg = None
        for lat, lon in leg or ((start.lat, start.lon), (end.lat, end.lon)):
            yield round(lon, 5), round(lat, 5)


def _thinned(line: Iterator[LonLat]) -> Iterator[LonLat]:
    last: LonLat | None = None
    for point in line:
        if last is None or (point[0] - last[0]) ** 2 + (point[1] - last[1]) ** 2 > _THINNED_METRES_SQUARED:
            yield point
            last = point
