"""The dispatcher's page of a day: what it shows, the tracks of its map, and its buttons."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.errors import DoorstepError
from apps.fleet.models import Depot, Position, Shift, Zone
from apps.fleet.selectors import shifts_of
from apps.routing import timeline
from apps.routing.board import Board, VanLine, board_of
from apps.routing.factors import factors_of
from apps.routing.models import DayPlan
from apps.routing.plan_lines import LonLat, drawn_line
from apps.routing.plan_preview_views import (
    actor_of,
    apply_shown,
    drop_shown,
    operator_alone,
    preview_marks,
    shown_preview,
    try_build,
    try_replan,
)
from apps.routing.planner.travel import Point
from apps.routing.services import ask_by_hand, break_down, mark_sick, publish, roll_back
from apps.routing.stops import point_of


def page_of(plan: DayPlan) -> dict[str, Any]:
    """The context of templates/admin/routing/dayplan/change_form.html."""
    board, diff = board_of(plan), shown_preview(plan)
    return {
        "diff": diff,
        "diff_marks": preview_marks(diff),
        "board": board,
        "gantt": timeline.draw(board),
        "marks": _marks(board),
        "kilograms": f"{board.grams / 1000:.1f}",
        "factors": factors_of(van.shift.vehicle for van in board.vans),
        "zones": [zone.name for zone in Zone.objects.order_by("pk")],
        "modes": [(mode, words) for mode, words in Depot.ReplanMode.choices if mode],
        "policies": Depot.ReplanPolicy.choices,
        "can_go_back": plan.stage == DayPlan.Stage.DRAFT and plan.earlier is not None,
    }


@require_safe
def tracks(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Where each van drives, as [longitude, latitude] along the roads; straight between stops where none is known."""
    operator_alone(request)
    plan = get_object_or_404(DayPlan.objects.select_related("depot"), pk=plan_id)
    found = [
        {
            "van": van.shift.vehicle.code,
            "colours": van.colours,
            "line": _track(van),
        }
        for van in board_of(plan).vans
        if van.stops and van.shift.vehicle.kind != van.shift.vehicle.Kind.CARRIER
    ]
    return JsonResponse({"tracks": found, "zones": drawn_zones()})


@require_POST
def act(request: HttpRequest, plan_id: int) -> HttpResponse:
    """One button of the page: `do`, and the shift, mode or policy it is about."""
    operator_alone(request)
    plan = get_object_or_404(DayPlan.objects.select_related("depot"), pk=plan_id)
    chosen = _ACTIONS.get(request.POST.get("do", ""))
    if chosen is not None:
        try:
            messages.success(request, chosen(plan, request))
        except DoorstepError as error:
            messages.error(request, error.message)
    return redirect(reverse("admin:routing_dayplan_change", args=[plan.pk]))


def _publish(plan: DayPlan, request: HttpRequest) -> str:
    publish(plan=plan, actor=actor_of(request))
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
    count = mark_sick(shift=shift, actor=actor_of(request))
    return _("%(driver)s is off. %(count)s stops look for another van.") % {"driver": shift.driver, "count": count}


def _broken(plan: DayPlan, request: HttpRequest) -> str:
    shift = _shift(plan, request)
    count = break_down(shift=shift, actor=actor_of(request))
    return _("%(van)s is off the road. It leaves %(count)s stops.") % {"van": shift.vehicle, "count": count}


def _back(plan: DayPlan, _request: HttpRequest) -> str:
    roll_back(plan=plan)
    return _("The draft stands as it did before the last one was built.")


def named(depot: Depot) -> str:
    """A depot's name, and what kind it is where that is not the usual one."""
    return depot.name if depot.kind == Depot.Kind.DEPOT else f"{depot.name}, {depot.get_kind_display()}"


def drawn_zones() -> list[dict[str, Any]]:
    """The zones for the map: name and outline."""
    return [{"name": zone.name, "shape": zone.shape} for zone in Zone.objects.order_by("pk")]


def _shift(plan: DayPlan, request: HttpRequest) -> Shift:
    number = request.POST.get("shift", "")
    shifts = shifts_of(plan.depot).filter(day=plan.day).select_related("vehicle", "driver")
    return get_object_or_404(shifts, pk=int(number) if number.isdecimal() else 0)


_ACTIONS: dict[str, Callable[[DayPlan, HttpRequest], str]] = {
    "publish": _publish,
    "replan": _replan,
    "sick": _sick,
    "broken": _broken,
    "back": _back,
    "try": try_replan,
    "try_build": try_build,
    "apply": apply_shown,
    "drop": drop_shown,
}


def _marks(board: Board) -> list[dict[str, Any]]:
    """Numbered stops per van, the depots, the vans where they are, and what no van takes."""
    marks: list[dict[str, Any]] = [
        {"kind": "depot", "lat": depot.latitude, "lon": depot.longitude, "label": named(depot)}
        for depot in board.plan.depot.together
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


def _track(van: VanLine) -> list[LonLat]:
    depot = point_of(van.shift.vehicle.depot)
    points = [depot, *(Point(*stop.point) for stop in van.stops), depot]
    return drawn_line(van.shift.vehicle.profile, points)
