"""Another window or day: offers, a summary before the yes, the answer with its undo."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError, Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries.access import Access
from apps.deliveries.services import token_of
from apps.rescheduling.services import change_window, offer_windows
from apps.tracking.day_words import capitalised, window_words
from apps.tracking.offer_words import key_of, offer_days, window_from
from apps.tracking.views.change_flow import (
    FOR_THE_GATE,
    agreed_words,
    closed_page,
    error_context,
    flow_page,
    flow_view,
    goes_to,
    is_closed,
    revision_from,
)
from apps.tracking.views.gate import paths


@flow_view
def time(request: HttpRequest, access: Access) -> HttpResponse:
    """GET offers windows, ?window= sums one up, ?done= shows the answer; POST takes the window."""
    if request.method == "POST":
        return _take(request, access)
    if "done" in request.GET:
        return _done(request, access, window_from(request.GET["done"]))
    window = window_from(request.GET.get("window", ""))
    if window is not None:
        return _summary(request, access, window)
    return _offers(request, access)


def _take(request: HttpRequest, access: Access) -> HttpResponse:
    window, before = window_from(request.POST.get("window", "")), access.delivery.window
    if window is None:
        return _offers(request, access)
    try:
        change_window(delivery=access.delivery, window=window, revision=revision_from(request), actor="shopper")
    except FOR_THE_GATE:
        raise
    except Stale as stale:
        access.delivery.refresh_from_db()
        return _summary(request, access, window, stale)
    except Refused as refused:
        return _refused(request, access, refused)
    return goes_to(access, "time", f"done={key_of(before)}")


def _offers(request: HttpRequest, access: Access) -> HttpResponse:
    context: dict[str, Any] = {"agreed": agreed_words(access)}
    status = 200
    try:
        zone = access.delivery.merchant.time_zone
        context["days"] = offer_days(offer_windows(delivery=access.delivery), zone, access.delivery.window)
    except Refused as refused:
        context |= error_context(refused)
        status = refused.status
    return flow_page(request, access, "time_offers", status=status, **context)


def _refused(request: HttpRequest, access: Access, refused: Refused) -> HttpResponse:
    if is_closed(refused):
        return closed_page(request, access, refused)
    days = offer_days(refused.alternatives, access.delivery.merchant.time_zone, access.delivery.window)
    context = {"days": days, "refused": bool(days), "agreed": agreed_words(access), **error_context(refused)}
    return flow_page(request, access, "time_offers", status=refused.status, **context)


def _summary(
    request: HttpRequest, access: Access, window: TimeWindow, stale: DoorstepError | None = None
) -> HttpResponse:
    """Made for the delivery as it is now: after a clash the reader sees the new state and keeps the choice."""
    zone, where = access.delivery.merchant.time_zone, paths(token_of(access.link))["time"]
    words = window_words(window, zone)
    context = {
        "heading": _("Come %(window)s?") % {"window": words},
        "change": {"old": capitalised(agreed_words(access)), "new": capitalised(words)},
        "lines": [{"icon": "check", "words": _("Free of charge. The van's route changes with you.")}],
        "carried": {"window": key_of(window)},
        "action_url": where,
        "back_url": where,
        "confirm_label": _("Confirm the new time"),
    }
    if stale is not None:
        context |= error_context(stale)
    return flow_page(request, access, "summary", status=stale.status if stale else 200, **context)


def _done(request: HttpRequest, access: Access, before: TimeWindow | None) -> HttpResponse:
    context: dict[str, Any] = {
        "heading": _("We come %(window)s") % {"window": agreed_words(access)},
        "sentence": _("It is in the van's plan."),
    }
    if before is not None and before != access.delivery.window:
        words = window_words(before, access.delivery.merchant.time_zone)
        context["undo"] = {
            "url": paths(token_of(access.link))["time"],
            "fields": {"window": key_of(before)},
            "label": _("Undo: back to %(window)s") % {"window": words},
        }
    return flow_page(request, access, "result", **context)
