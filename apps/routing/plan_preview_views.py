"""What a re-plan would change, on the dispatcher's page: its buttons, how far it is, both plans' ways for the map."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from apps.core.errors import Refused
from apps.fleet.models import Depot, Shift
from apps.fleet.selectors import shifts_of
from apps.routing.board import COLOURS
from apps.routing.models import DayPlan, PlanPreview, Visit
from apps.routing.plan_diff import Diff, diff_of
from apps.routing.plan_lines import drawn_line
from apps.routing.planner.travel import Point
from apps.routing.services import apply_preview, ask_preview, drop_preview, standing_previews
from apps.routing.stops import point_of


def operator_alone(request: HttpRequest) -> None:
    """PermissionDenied for everybody but the operator."""
    if not (request.user.is_active and request.user.is_superuser):
        raise PermissionDenied


def actor_of(request: HttpRequest) -> str:
    return f"agent:{request.user.pk}"


def shown_preview(plan: DayPlan) -> Diff | None:
    """The one that stands, if any."""
    preview = standing_previews(plan).select_related("plan__depot").order_by("-pk").first()
    return diff_of(preview) if preview is not None else None


def preview_marks(diff: Diff | None) -> list[dict[str, Any]]:
    """The stops that would move, with the number each would have on its van."""
    if diff is None or not diff.lines:
        return []
    vans, colours = diff.preview.content["vans"], _colours(diff.preview)
    moved = {f"v{row['visit']}" for row in diff.preview.content["moves"]}
    turns = {
        stop: (number, row["code"], colours[row["van"]])
        for row in vans
        for number, (stop, *_times) in enumerate(row["after"], start=1)
        if stop in moved
    }
    visits = Visit.objects.select_related("place").in_bulk([int(stop[1:]) for stop in turns])
    return [
        {
            "kind": "stop",
            "lat": visit.place.latitude,
            "lon": visit.place.longitude,
            "label": f"{code} {number}, {visit.place.town}",
            "text": str(number),
            "track": colour,
        }
        for stop, (number, code, colour) in turns.items()
        if (visit := visits.get(int(stop[1:]))) is not None
    ]


@require_safe
def status(request: HttpRequest, preview_id: int) -> HttpResponse:
    """How far the search is."""
    operator_alone(request)
    preview = get_object_or_404(PlanPreview, pk=preview_id)
    return JsonResponse({"state": preview.state, "percent": preview.percent})


@require_safe
def tracks(request: HttpRequest, preview_id: int) -> HttpResponse:
    """Where each van that changes drives now (dashed) and would drive then."""
    operator_alone(request)
    preview = get_object_or_404(PlanPreview.objects.select_related("plan__depot"), pk=preview_id)
    return JsonResponse({"tracks": list(_tracks(preview))})


def _tracks(preview: PlanPreview) -> Iterator[dict[str, Any]]:
    rows, colours = preview.content.get("vans", []), _colours(preview)
    shifts = Shift.objects.select_related("vehicle__depot").in_bulk([int(row["van"]) for row in rows])
    stops = {stop for row in rows for key in ("before", "after") for stop, *_times in row[key] if stop.startswith("v")}
    visits = Visit.objects.select_related("place").in_bulk([int(stop[1:]) for stop in stops])
    places = {f"v{pk}": Point(*visit.place.point) for pk, visit in visits.items()}
    for key in ("before", "after"):
        for row in rows:
            shift = shifts.get(int(row["van"]))
            if shift is None or shift.vehicle.kind == shift.vehicle.Kind.CARRIER:
                continue
            home = point_of(shift.vehicle.depot)
            line = _line([stop for stop, *_times in row[key]], places, home, shift.vehicle.profile)
            yield {
                "van": row["code"],
                "colours": COLOURS[colours[row["van"]]],
                "line": line,
                "dashed": key == "before",
            }


def _line(stops: Sequence[str], places: dict[str, Point], home: Point, profile: str) -> list[tuple[float, float]]:
    return drawn_line(profile, [home, *(places.get(stop, home) for stop in stops), home]) if stops else []


def _colours(preview: PlanPreview) -> dict[str, int]:
    """By van, as on the map of the whole day: the vans of the roster by their codes."""
    vans = shifts_of(preview.plan.depot).filter(day=preview.plan.day).order_by("vehicle__code")
    return {str(pk): number % len(COLOURS) for number, pk in enumerate(vans.values_list("pk", flat=True))}


def try_replan(plan: DayPlan, request: HttpRequest) -> str:
    mode, policy = request.POST.get("mode", ""), request.POST.get("policy", "")
    ask_preview(
        plan=plan,
        kind=PlanPreview.Kind.REPLAN,
        actor=actor_of(request),
        mode=mode if mode in Depot.ReplanMode.values else "",
        policy=policy if policy in Depot.ReplanPolicy.values else "",
    )
    return _("The planner works out what would change. Nothing is changed meanwhile.")


def try_build(plan: DayPlan, request: HttpRequest) -> str:
    ask_preview(plan=plan, kind=PlanPreview.Kind.BUILD, actor=actor_of(request))
    return _("The planner builds another draft beside this one. Nothing is changed meanwhile.")


def apply_shown(plan: DayPlan, request: HttpRequest) -> str:
    count = apply_preview(preview=_named(plan, request), actor=actor_of(request))
    words = ngettext("Applied as shown: %(count)s van changes.", "Applied as shown: %(count)s vans change.", count)
    return words % {"count": count}


def drop_shown(plan: DayPlan, request: HttpRequest) -> str:
    drop_preview(preview=_named(plan, request))
    return _("Dropped. The plan stands as it was.")


def _named(plan: DayPlan, request: HttpRequest) -> PlanPreview:
    number = request.POST.get("preview", "")
    found = PlanPreview.objects.filter(plan=plan, pk=int(number) if number.isdecimal() else 0)
    preview = found.select_related("plan__depot").first()
    if preview is None:
        raise Refused("not_ready", _("There is nothing to apply. Please look again."))
    return preview
