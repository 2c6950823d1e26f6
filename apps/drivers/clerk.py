"""The depot clerk's phone: today's vans, the load scan of the morning, the return scan of the evening."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.errors import DoorstepError, NotFound
from apps.deliveries.words import reason_words
from apps.drivers import auth, loading
from apps.drivers.auth import CLERK, api_of, page_of
from apps.drivers.inputs import fields_of, word_of
from apps.fleet.models import DepotDevice
from apps.routing.services import Loaded, load
from apps.routing.services.bring_back import Back, bring_back


@dataclass(frozen=True, slots=True)
class Scan:
    """What the last scan says to the clerk: a tone (good, warn, bad) and a sentence."""

    tone: str
    sentence: str
    barcode: str


@require_safe
def enter(request: HttpRequest, token: str) -> HttpResponse:
    return auth.enter(CLERK, request, token)


@require_safe
@page_of(CLERK)
def day(request: HttpRequest, device: DepotDevice) -> HttpResponse:
    return _page(request, device, word_of(request.GET.get("van", "")), None)


@require_safe
@api_of(CLERK)
def api_day(_request: HttpRequest, device: DepotDevice) -> HttpResponse:
    return JsonResponse(loading.as_json(device.depot))


@require_POST
@api_of(CLERK)
def scan(request: HttpRequest, device: DepotDevice) -> HttpResponse:
    """`barcode` and `vehicle`, from the page's form or as JSON. Scanning twice is harmless."""
    fields = fields_of(request)
    barcode, vehicle = word_of(fields.get("barcode")).strip(), word_of(fields.get("vehicle"))
    if request.content_type == "application/json":
        found = _load(device, barcode, vehicle)
        told = {"vehicle": found.vehicle, "missing": found.missing, "again": found.again}
        return JsonResponse({**told, "message": _sentence(found)})
    try:
        found = _load(device, barcode, vehicle)
    except DoorstepError as error:
        return _page(request, device, vehicle, Scan("bad", error.message, barcode), status=error.status)
    tone = "warn" if found.again or found.missing else "good"
    return _page(request, device, vehicle, Scan(tone, _sentence(found), barcode))


@require_safe
@page_of(CLERK)
def coming_back(request: HttpRequest, device: DepotDevice) -> HttpResponse:
    return _back_page(request, device, None)


@require_POST
@api_of(CLERK)
def scan_back(request: HttpRequest, device: DepotDevice) -> HttpResponse:
    """`barcode` of a parcel that came back with a van, from the page's form or as JSON. Scanning twice is harmless."""
    fields = fields_of(request)
    barcode = word_of(fields.get("barcode")).strip()
    is_json = request.content_type == "application/json"
    try:
        found = bring_back(barcode=barcode, depot=device.depot, actor=f"clerk:{device.pk}")
    except DoorstepError as error:
        if is_json:
            raise
        return _back_page(request, device, Scan("bad", error.message, barcode), status=error.status)
    if is_json:
        return JsonResponse({"missing": found.missing, "again": found.again, "message": _back_sentence(found)})
    return _back_page(request, device, Scan("warn" if found.again else "good", _back_sentence(found), barcode))


def _back_sentence(found: Back) -> str:
    if found.again:
        return _("This one lies at the depot already.")
    if found.missing:
        return _("Noted. %(count)d more of the same delivery should come.") % {"count": found.missing}
    return _("Arrived at the depot.") if found.first else _("Back at the depot.")


def _back_page(request: HttpRequest, device: DepotDevice, scanned: Scan | None, status: int = 200) -> HttpResponse:
    left = loading.coming_back(device.depot)
    rows = [(row, reason_words(row.reason) if row.reason else "") for row in left]
    context = {"depot": device.depot, "rows": rows, "scan": scanned}
    return render(request, "drivers/coming_back.html", context, status=status)


def _load(device: DepotDevice, barcode: str, vehicle: str) -> Loaded:
    if not loading.is_van_of(device.depot, vehicle):
        raise NotFound("unknown_van", _("Choose the van you are loading first."))
    return load(barcode=barcode, vehicle=vehicle, actor=f"clerk:{device.pk}")


def _sentence(found: Loaded) -> str:
    if found.again:
        return _("This one is on %(van)s already.") % {"van": found.vehicle}
    if found.missing:
        words = _("Loaded. %(count)d more for the same delivery.")
        return words % {"count": found.missing}
    return _("Loaded on %(van)s.") % {"van": found.vehicle}


def _page(
    request: HttpRequest, device: DepotDevice, chosen: str, scanned: Scan | None, status: int = 200
) -> HttpResponse:
    vans = loading.vans_today(device.depot)
    context = {
        "depot": device.depot,
        "zone": loading.zone_of(device.depot),
        "vans": vans,
        "chosen": next((van for van in vans if van.vehicle == chosen), None),
        "scan": scanned,
        "coming_back": len(loading.coming_back(device.depot)),
        "expected": sum(van.expected for van in vans),
        "loaded": sum(van.loaded for van in vans),
    }
    return render(request, "drivers/depot.html", context, status=status)
