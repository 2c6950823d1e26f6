"""What the admin's first page shows: today's figures, each a link to its rows; the vans; the map."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.core import clock
from apps.events.selectors import Health, health
from apps.support import selectors
from apps.support.navigation import changelist
from apps.support.selectors import DayFigures, RouteLine


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. `tone` is plain, good, warn or bad and never stands alone: the words say it too."""

    label: str
    value: str
    note: str
    link: str
    tone: str = "plain"


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's DASHBOARD_CALLBACK."""
    figures = selectors.day_figures(request.user)
    zone = selectors.operator_zone()
    here = clock.now().astimezone(zone)
    is_operator = bool(request.user.is_superuser)
    lines = selectors.route_lines(selectors.operator_today()) if is_operator else []
    context |= {
        "title": _("Overview"),
        "day": date_format(here.date(), "l, j F"),
        "clock": f"{here:%H:%M}",
        "tiles": _delivery_tiles(figures, may_read_events=is_operator),
        "machine_tiles": _machine_tiles(health(), figures) if is_operator else [],
        "vans": [_van(line, zone) for line in lines],
        "places": _places(lines),
    }
    return context


def _delivery_tiles(figures: DayFigures, *, may_read_events: bool) -> list[Tile]:
    since = figures.since.isoformat()
    late = len(figures.late)
    ids = ",".join(str(pk) for pk in figures.late) or "0"
    return [
        Tile(_("Out now"), str(figures.out), _("on a van, on the road"), _rows(state__exact="out")),
        Tile(
            _("Still to go"),
            str(figures.waiting),
            _("for today, not out yet"),
            _rows(
                state__in="planned,arrived,loaded",
                window_latest__gte=since,
                window_earliest__lt=_tomorrow(figures.since),
            ),
        ),
        Tile(
            _("Delivered"),
            str(figures.delivered),
            _("today, or collected"),
            _rows(state__in="delivered,collected", ended_at__gte=since),
            "good",
        ),
        Tile(
            _("Not delivered"),
            str(figures.failed),
            _("to be booked again"),
            _rows(state__exact="failed"),
            "bad" if figures.failed else "plain",
        ),
        Tile(
            _("Late"),
            str(late),
            _("past what was promised"),
            _rows(id__in=ids),
            "warn" if late else "plain",
        ),
        Tile(_("At a point"), str(figures.at_point), _("ready to collect"), _rows(state__exact="at_point")),
        Tile(
            _("Changes"),
            str(figures.changes),
            _("accepted from customers today"),
            changelist("events_event", _changes_query(since)) if may_read_events else "",
        ),
    ]


def _changes_query(since: str) -> str:
    return urlencode({"kind__in": ",".join(selectors.CHANGE_KINDS), "at__gte": since}, safe=",")


def _machine_tiles(state: Health, figures: DayFigures) -> list[Tile]:
    replans = selectors.replans_since(figures.since)
    seconds = state.oldest_due_seconds
    return [
        Tile(
            _("Oldest work due"),
            _("%(seconds)s s") % {"seconds": round(seconds)},
            _("%(count)s waiting now") % {"count": state.due},
            changelist("events_reaction", "state__in=waiting,running&o=5"),
            "plain" if state.is_healthy else "bad",
        ),
        Tile(
            _("Parked work"),
            str(state.parked),
            _("failed too often"),
            changelist("events_reaction", "state__exact=parked"),
            "bad" if state.parked else "plain",
        ),
        Tile(
            _("Messages not sent"),
            str(figures.messages_failed),
            _("today"),
            changelist(
                "notifications_message",
                urlencode({"state__exact": "failed", "created_at__gte": figures.since.isoformat()}),
            ),
            "warn" if figures.messages_failed else "plain",
        ),
        *_unheard_tiles(figures.since),
        Tile(
            _("Plan improved"),
            str(replans["applied"]),
            _("of %(solves)s times looked at") % {"solves": replans["solves"]},
            changelist("routing_replan", urlencode({"started_at__gte": figures.since.isoformat()})),
        ),
    ]


def _unheard_tiles(since: datetime) -> list[Tile]:
    """What happened today that no program reacts to: staff hear of it here."""
    counts = selectors.unheard_since(since)
    told = {
        "routing.replan_refused": (_("Plans without room"), _("kept as they were today")),
        "storefront.endpoint_disabled": (_("Webhooks switched off"), _("endpoints given up today")),
    }
    return [
        Tile(
            title,
            str(counts[kind]),
            note,
            changelist("events_event", urlencode({"kind__exact": kind, "at__gte": since.isoformat()})),
            "warn" if counts[kind] else "plain",
        )
        for kind, (title, note) in told.items()
    ]


def _van(line: RouteLine, zone: ZoneInfo) -> dict[str, Any]:
    shift = line.route.shift
    if line.route.finished_at:
        status = _("Back at the depot")
    elif line.route.departed_at:
        status = _("On the road")
    else:
        status = _("At the depot")
    return {
        "code": shift.vehicle.code,
        "kind": shift.vehicle.get_kind_display(),
        "driver": shift.driver.name,
        "status": status,
        "moving": bool(line.route.departed_at and not line.route.finished_at),
        "done": line.done,
        "failed": line.failed,
        "total": line.total,
        "percent": round(100 * (line.done + line.failed) / line.total) if line.total else 0,
        "next": _clock(line.next_eta, zone),
        "last": _clock(line.last_eta, zone),
        "late": line.late,
        "link": _change("routing_route", line.route.pk),
    }


def _places(lines: list[RouteLine]) -> dict[str, Any]:
    """For the map: depots and vans."""
    depots = {vehicle.depot_id: vehicle.depot for vehicle in (line.route.shift.vehicle for line in lines)}
    marks = [{"kind": "depot", "lat": one.latitude, "lon": one.longitude, "label": one.name} for one in depots.values()]
    marks += [
        {
            "kind": "van",
            "lat": line.position.latitude,
            "lon": line.position.longitude,
            "label": line.route.shift.vehicle.code,
            "link": _change("routing_route", line.route.pk),
        }
        for line in lines
        if line.position is not None
    ]
    return {"marks": marks}


def _rows(**query: str) -> str:
    return changelist("deliveries_delivery", urlencode(query, safe=","))


def _tomorrow(midnight: datetime) -> str:
    return midnight.replace(hour=23, minute=59, second=59).isoformat()


def _change(model: str, pk: int) -> str:
    try:
        return reverse(f"admin:{model}_change", args=[pk])
    except NoReverseMatch:
        return ""


def _clock(instant: datetime | None, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}" if instant else "–"
