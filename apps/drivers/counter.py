"""The counter of a pick-up point: what waits on the shelf, and the hand-out against a code. No names."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.core import clock
from apps.core.errors import DoorstepError, InvalidInput, NotFound, Throttled
from apps.core.throttles import count_try
from apps.drivers.auth import sealed
from apps.drivers.inputs import number_of, word_of
from apps.redirection.models import PickupPoint
from apps.redirection.selectors import WaitingParcels, find_point, waiting_at
from apps.redirection.services import hand_out

TRIES, TRY_SECONDS = 40, 60
TAIL = 4


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery on the shelf as the staff recognise it: the last characters of its barcodes."""

    delivery_id: int
    merchant: str
    tails: tuple[str, ...]
    days_left: int | None
    is_locked: bool


@require_http_methods(["GET", "HEAD", "POST"])
def point(request: HttpRequest, token: str) -> HttpResponse:
    """/point/<token>: an unknown, revoked or mangled link is the same 404 as everywhere."""
    try:
        found = find_point(token, address=request.META.get("REMOTE_ADDR", ""))
    except NotFound:
        return sealed(render(request, "404.html", status=404))
    except Throttled as error:
        return _later(request, error)
    if request.method == "POST":
        return sealed(_hand_out(request, found))
    return sealed(_page(request, found))


def _hand_out(request: HttpRequest, found: PickupPoint) -> HttpResponse:
    try:
        count_try("handout", str(found.pk), limit=TRIES, seconds=TRY_SECONDS)
        chosen = number_of(request.POST.get("delivery", ""))
    except Throttled as error:
        return _later(request, error)
    except InvalidInput:
        return _page(request, found, error=_("Choose the parcel first."), status=400)
    before = next((row for row in _shelf(found) if row.delivery_id == chosen), None)
    try:
        hand_out(point=found, code=word_of(request.POST.get("code", "")), delivery_id=chosen)
    except DoorstepError as error:
        return _page(request, found, chosen=chosen, error=error.message, status=error.status)
    tails = ", ".join(f"…{tail}" for tail in before.tails) if before else ""
    messages.success(request, _("Handed out: %(parcels)s") % {"parcels": tails})
    return HttpResponseRedirect(request.path, status=303)


def _page(
    request: HttpRequest, found: PickupPoint, *, chosen: int | None = None, error: str = "", status: int = 200
) -> HttpResponse:
    context = {"point": found, "shelf": _shelf(found), "chosen": chosen, "error": error}
    return render(request, "drivers/counter.html", context, status=status)


def _shelf(found: PickupPoint) -> list[Waiting]:
    return [_waiting(row, ZoneInfo(found.time_zone)) for row in waiting_at(found)]


def _waiting(row: WaitingParcels, zone: ZoneInfo) -> Waiting:
    days = None
    if row.until is not None:
        days = (row.until.astimezone(zone).date() - clock.now().astimezone(zone).date()).days
    return Waiting(
        delivery_id=row.delivery_id,
        merchant=row.merchant,
        tails=tuple(barcode[-TAIL:] for barcode in row.barcodes),
        days_left=days,
        is_locked=row.is_locked,
    )


def _later(request: HttpRequest, error: Throttled) -> HttpResponse:
    response = render(request, "drivers/later.html", {"message": error.message}, status=429)
    response["Retry-After"] = str(error.details.get("retry_after_seconds", TRY_SECONDS))
    return sealed(response)
