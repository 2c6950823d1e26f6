"""Another window or day: offers, a summary before the yes, the answer with its undo; and, for what fits nowhere at
once, a search that the page waits for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError, Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries.access import Access
from apps.deliveries.services import token_of
from apps.rescheduling.models import WindowRequest
from apps.rescheduling.services import change_window, look_harder, offer_windows, request_of
from apps.routing.services import may_be_searched
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

LOOK_AGAIN_SECONDS = 2
"""How often a page without script asks whether the planner has answered."""


@flow_view
def time(request: HttpRequest, access: Access) -> HttpResponse:
    """GET offers windows, ?window= sums one up, ?ask= one that is to be searched for, ?asked what became of the search,
    ?done= shows the answer; POST takes the window, or has it searched for."""
    if request.method == "POST":
        return _ask(request, access) if "harder" in request.POST else _take(request, access)
    if "done" in request.GET:
        return _done(request, access, window_from(request.GET["done"]))
    if "asked" in request.GET:
        return _asked(request, access)
    wish = window_from(request.GET.get("ask", ""))
    if wish is not None:
        return _wish(request, access, wish)
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
        return _refused(request, access, refused, window)
    return goes_to(access, "time", f"done={key_of(before)}")


def _ask(request: HttpRequest, access: Access) -> HttpResponse:
    window = window_from(request.POST.get("window", ""))
    if window is None:
        return _offers(request, access)
    try:
        look_harder(delivery=access.delivery, window=window, revision=revision_from(request), actor="shopper")
    except FOR_THE_GATE:
        raise
    except Stale as stale:
        access.delivery.refresh_from_db()
        return _wish(request, access, window, stale)
    except Refused as refused:
        return _refused(request, access, refused)
    return goes_to(access, "time", "asked=1")


def _offers(request: HttpRequest, access: Access, no_way: str = "") -> HttpResponse:
    """The windows that may be chosen; `no_way` says why the one that was asked for is not."""
    context: dict[str, Any] = {"agreed": agreed_words(access)}
    if no_way:
        context |= {"error": no_way, "refused": True}
    status = 200
    try:
        zone = access.delivery.merchant.time_zone
        context["days"] = offer_days(offer_windows(delivery=access.delivery), zone, access.delivery.window)
    except Refused as refused:
        context |= error_context(refused)
        status = refused.status
    return flow_page(request, access, "time_offers", status=status, **context)


def _refused(request: HttpRequest, access: Access, refused: Refused, wished: TimeWindow | None = None) -> HttpResponse:
    if is_closed(refused):
        return closed_page(request, access, refused)
    days = offer_days(refused.alternatives, access.delivery.merchant.time_zone, access.delivery.window)
    context = {"days": days, "refused": bool(days), "agreed": agreed_words(access), **error_context(refused)}
    if wished is not None and may_be_searched(delivery=access.delivery, code=refused.code):
        context["wish"] = key_of(wished)
    return flow_page(request, access, "time_offers", status=refused.status, **context)


def _wish(request: HttpRequest, access: Access, window: TimeWindow, stale: DoorstepError | None = None) -> HttpResponse:
    """What fits nowhere as the vans drive now: whether we should look for a way."""
    zone, where = access.delivery.merchant.time_zone, paths(token_of(access.link))["time"]
    words = window_words(window, zone)
    context = {
        "heading": _("Shall we look for a way to come %(window)s?") % {"window": words},
        "change": {"old": capitalised(agreed_words(access)), "new": capitalised(words)},
        "lines": [
            {"icon": "search", "words": _("As the vans drive now it does not fit. Another order of stops may help.")},
            {"icon": "check", "words": _("If it helps, your time changes at once. If not, nothing changes.")},
        ],
        "carried": {"window": key_of(window), "harder": "1"},
        "action_url": where,
        "back_url": where,
        "confirm_label": _("Look for a way"),
    }
    if stale is not None:
        context |= error_context(stale)
    return flow_page(request, access, "summary", status=stale.status if stale else 200, **context)


def _asked(request: HttpRequest, access: Access) -> HttpResponse:
    """What became of the search: the page asks again by itself until there is an answer."""
    asked = request_of(access.delivery)
    if asked is None:
        return _offers(request, access)
    words = window_words(asked.window, access.delivery.merchant.time_zone)
    if asked.state == WindowRequest.State.OPEN:
        page = flow_page(request, access, "time_asked", wished=words, again_seconds=LOOK_AGAIN_SECONDS)
        page["Refresh"] = str(LOOK_AGAIN_SECONDS)
        return page
    if asked.state == WindowRequest.State.GRANTED:
        return _done(request, access, None)
    return _offers(request, access, _no_way(asked, words))


def _no_way(asked: WindowRequest, words: str) -> str:
    if asked.state == WindowRequest.State.REFUSED:
        return _("We looked: no van can come %(window)s.") % {"window": words}
    if asked.state == WindowRequest.State.STALE:
        return _("This delivery was changed while we looked.")
    return _("We could not look in time.")


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
