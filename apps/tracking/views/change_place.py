"""Another place: a pick-up point, another address, or home again. For verified readers only."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError, InvalidInput, Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries.access import VERIFIED_COOKIE, Access, carried_over, require_verified
from apps.deliveries.models import Delivery, Place
from apps.deliveries.services import token_of
from apps.places.services import geocode
from apps.redirection.models import PickupPoint
from apps.redirection.services import move_home, move_to_address, move_to_point, offer_points
from apps.tracking.day_words import capitalised, window_words
from apps.tracking.forms import AddressForm
from apps.tracking.offer_words import offer_days, place_words, point_lines, ready_words, window_from
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
from apps.tracking.views.verify import remember


@flow_view
def place(request: HttpRequest, access: Access) -> HttpResponse:
    """GET offers places, ?point= and ?to=home sum one up, ?to=address asks for one; POST takes it.

    An address travels in forms only, never in a URL.
    """
    require_verified(access)
    if request.method == "POST":
        if "confirm" in request.POST:
            return _take(request, access)
        return _found_address(request, access)
    if "done" in request.GET:
        return _done(request, access)
    wanted = request.GET.get("to", "")
    if wanted == "address":
        return flow_page(request, access, "address", form=AddressForm())
    if wanted == "home" and not _is_at_home(access.delivery):
        return _summary(request, access, {"to": "home"})
    if point := _point(request.GET.get("point", "")):
        return _summary(request, access, {"to": "point", "point": point.code})
    return _choices(request, access)


def _take(request: HttpRequest, access: Access) -> HttpResponse:
    """Asks redirection, which asks the plan."""
    wanted = {key: request.POST[key] for key in ("to", "point", "address", "window") if key in request.POST}
    asked: dict[str, Any] = {
        "delivery": access.delivery,
        "revision": revision_from(request),
        "actor": "shopper",
        "access": access,
    }
    window = window_from(wanted.get("window", ""))
    try:
        if wanted.get("to") == "home":
            move_home(window=window, **asked)
        elif wanted.get("to") == "address":
            move_to_address(address=wanted.get("address", "")[:240], window=window, **asked)
        elif point := _point(wanted.get("point", "")):
            move_to_point(point=point, **asked)
        else:
            return _choices(request, access)
    except FOR_THE_GATE:
        raise
    except Stale as stale:
        access.delivery.refresh_from_db()
        return _summary(request, access, wanted, stale)
    except Refused as refused:
        return _refused(request, access, refused, wanted)
    except InvalidInput as unsure:
        return _unsure(request, access, AddressForm(), unsure)
    return _at_its_new_link(request, access)


def _at_its_new_link(request: HttpRequest, access: Access) -> HttpResponse:
    """Another address gives the link a new token; whoever changed it goes on there, as verified as before."""
    value = carried_over(access, request.COOKIES.get(VERIFIED_COOKIE))
    answer = goes_to(access, "place", "done=1")
    return remember(request, answer, paths(token_of(access.link)), value) if value else answer


def _choices(request: HttpRequest, access: Access, points: Any = None, refused: Refused | None = None) -> HttpResponse:
    delivery = access.delivery
    context: dict[str, Any] = {"here": place_words(delivery.place), "home": place_words(delivery.home)}
    context["can_go_home"] = not _is_at_home(delivery)
    try:
        offers = offer_points(delivery=delivery) if points is None else points
        context["points"] = point_lines(offers, delivery.merchant.time_zone)
    except Refused as error:
        refused = refused or error
    if refused is not None:
        context |= {**error_context(refused), "refused": bool(context.get("points"))}
    return flow_page(request, access, "place", status=refused.status if refused else 200, **context)


def _refused(request: HttpRequest, access: Access, refused: Refused, wanted: dict[str, str]) -> HttpResponse:
    """Other points after a point, other windows after an address; nothing when no place at all may be chosen now."""
    if is_closed(refused):
        return closed_page(request, access, refused)
    if wanted.get("to") == "point" or not refused.alternatives:
        return _choices(request, access, refused.alternatives or None, refused)
    days = offer_days(refused.alternatives, access.delivery.merchant.time_zone)
    context = {"days": days, "carried": {**wanted, "window": ""}, **error_context(refused)}
    return flow_page(request, access, "place_windows", status=refused.status, **context)


def _found_address(request: HttpRequest, access: Access) -> HttpResponse:
    """The typed address as the map knows it, for a second look before the yes."""
    if "address" in request.POST or request.POST.get("to") == "home":
        known = {key: request.POST[key] for key in ("to", "address", "window") if request.POST.get(key)}
        return _summary(request, access, known)
    form = AddressForm(request.POST)
    if not form.is_valid():
        return flow_page(request, access, "address", status=422, form=form)
    found = geocode(**form.cleaned_data)
    if found is None or not found.is_sure:
        message = _("We do not know that address. Check its spelling.")
        near = [str(found)] if found else []
        return _unsure(request, access, form, InvalidInput("address_unsure", message, suggestions=near))
    return _summary(request, access, {"to": "address", "address": str(found)})


def _unsure(request: HttpRequest, access: Access, form: AddressForm, error: DoorstepError) -> HttpResponse:
    near = error.details.get("suggestions", [])
    return flow_page(request, access, "address", status=422, form=form, suggestions=near, **error_context(error))


def _summary(
    request: HttpRequest, access: Access, wanted: dict[str, str], stale: DoorstepError | None = None
) -> HttpResponse:
    delivery, where = access.delivery, paths(token_of(access.link))["place"]
    window = window_from(wanted.get("window", ""))
    context = {
        "heading": _("Send it there?"),
        "change": {"old": place_words(delivery.place), "new": _name(delivery, wanted)},
        "lines": _lines(delivery, wanted, window),
        "carried": wanted,
        "action_url": where,
        "back_url": where,
        "confirm_label": _("Confirm the new place"),
    }
    if stale is not None:
        context |= error_context(stale)
    return flow_page(request, access, "summary", status=stale.status if stale else 200, **context)


def _lines(delivery: Delivery, wanted: dict[str, str], window: TimeWindow | None) -> list[dict[str, str]]:
    free = {"icon": "check", "words": _("Free of charge. The van's route changes with you.")}
    zone = delivery.merchant.time_zone
    if wanted.get("to") == "point":
        days = delivery.merchant.policy.pickup_days
        waits = _("It waits there for %(days)s days. You collect it with a code that only you get.") % {"days": days}
        offers = [offer for offer in offer_points(delivery=delivery) if offer.point.code == wanted.get("point")]
        ready = [{"icon": "clock", "words": words} for offer in offers if (words := ready_words(offer.earliest, zone))]
        return [*ready, {"icon": "key-round", "words": waits}, free]
    if window is None and wanted.get("to") == "home":
        return [free]
    return [{"icon": "clock", "words": capitalised(window_words(window or delivery.window, zone))}, free]


def _done(request: HttpRequest, access: Access) -> HttpResponse:
    delivery, where = access.delivery, paths(token_of(access.link))["place"]
    context: dict[str, Any] = {"heading": _("It goes to %(place)s") % {"place": place_words(delivery.place)}}
    context["sentence"] = _("It is in the van's plan: %(window)s.") % {"window": agreed_words(access)}
    if delivery.place.kind != Place.Kind.ADDRESS:
        context["sentence"] = _("It is in the van's plan. We tell you as soon as you can collect it.")
    if not _is_at_home(delivery):
        label = _("Undo: back to %(place)s") % {"place": place_words(delivery.home)}
        context["undo"] = {"url": where, "fields": {"to": "home"}, "label": label}
    return flow_page(request, access, "result", **context)


def _name(delivery: Delivery, wanted: dict[str, str]) -> str:
    if wanted.get("to") == "home":
        return place_words(delivery.home)
    point = _point(wanted.get("point", ""))
    if point and wanted.get("to") == "point":
        return place_words(point)
    return wanted.get("address", "")[:240]


def _point(code: str) -> PickupPoint | None:
    return PickupPoint.objects.filter(code=code, is_active=True).first() if code and len(code) < 60 else None


def _is_at_home(delivery: Delivery) -> bool:
    return delivery.place_id == delivery.home_id
