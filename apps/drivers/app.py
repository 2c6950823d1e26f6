"""What makes the driver's page an app that opens without signal: manifest, service worker, an empty page to fill."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import DoorstepError
from apps.drivers import rounds, services
from apps.drivers.auth import DRIVER, api_of, sealed
from apps.drivers.rounds import HELD, Round, Stop
from apps.drivers.views import context_of
from apps.fleet.models import Driver
from apps.routing.models import Visit

GROUND = "#0b0d10"
FILES = (
    "css/tokens.css",
    "css/base.css",
    "css/driver.css",
    "icons/sprite.svg",
    "js/driver.js",
    "js/driver-barcode.js",
    "js/driver-hold.js",
    "js/driver-position.js",
    "js/driver-queue.js",
    "js/driver-signature.js",
    "js/driver-store.js",
    "js/parts.js",
)
# How long after the shift a phone without signal still shows what it holds.
GRACE_SECONDS = 3600


@require_safe
def manifest(_request: HttpRequest) -> HttpResponse:
    described = {
        "name": _("Doorstep driver"),
        "short_name": _("Driver"),
        "id": reverse("drivers:round"),
        "start_url": reverse("drivers:round"),
        "scope": reverse("drivers:round"),
        "display": "standalone",
        "orientation": "portrait",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": [
            {"src": static(f"icons/driver-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": use}
            for size in (192, 512)
            for use in ("any", "maskable")
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    files = [static(name) for name in FILES]
    version = sha256_hex(" ".join(files) + settings.SECRET_KEY)[:12]
    response = render(
        request, "drivers/worker.js", {"files": files, "version": version}, content_type="text/javascript"
    )
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def shell(request: HttpRequest) -> HttpResponse:
    """The page without anybody on it; the phone fills it with what it holds."""
    return sealed(render(request, "drivers/round.html", {"shell": True, "driver": {"name": ""}}))


@require_POST
@api_of(DRIVER)
def hold(request: HttpRequest, driver: Driver) -> HttpResponse:
    """What a phone keeps for when it has no signal: the next HELD stops as they are drawn, until the shift ends.

    The door code is of the next stop only, and fetching it counts as looking at it. "over" tells the phone to forget.
    """
    found = rounds.round_of(driver)
    if found is None or found.route is None or found.route.finished_at is not None:
        return JsonResponse({"over": True})
    left = (found.shift.ends_at - clock.now()).total_seconds() + found.shift.overtime_seconds + GRACE_SECONDS
    if left <= 0:
        return JsonResponse({"over": True})
    services.take_messages(driver=driver, stops=found.stops[:HELD])
    stops = [_held(request, driver, found, stop) for stop in found.stops[:HELD]]
    return JsonResponse(
        {
            "over": False,
            "mark": found.mark,
            "lasts_seconds": left / settings.CLOCK_SPEED,
            "done": found.done,
            "total": found.total,
            "departed": found.route.departed_at is not None,
            "stops": stops,
            "codes": _codes(driver, found),
        }
    )


def _held(request: HttpRequest, driver: Driver, found: Round, stop: Stop) -> dict[str, Any]:
    """One stop as it looks on the way to it and at its door."""
    drawn = {}
    for state in (Visit.State.PLANNED, Visit.State.ARRIVED):
        context = context_of(driver, found, stop.seen_as(state))
        drawn[state.value] = render_to_string("drivers/_held.html", context, request=request)
    return {"visit": stop.visit, "state": stop.state, "number": stop.number, "html": drawn}


def _codes(driver: Driver, found: Round) -> dict[str, str]:
    codes = {}
    for drop in found.following.drops if found.following else ():
        if drop.has_access_code:
            try:
                codes[drop.delivery] = services.reveal_code(driver=driver, delivery=drop.delivery)
            except DoorstepError:
                continue
    return codes
