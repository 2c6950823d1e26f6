"""The driver's JSON interface; the page, the simulator and any app of a fleet speak it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from apps.core.throttles import count_try
from apps.drivers import rounds, services
from apps.drivers.auth import DRIVER, api_of
from apps.drivers.inputs import fields_of, fixes_of, instant_of, number_of, word_of
from apps.drivers.services import Outcome
from apps.fleet.models import Driver

POSITION_POSTS, POSITION_SECONDS = 300, 60


@require_safe
@api_of(DRIVER)
def route(_request: HttpRequest, driver: Driver) -> HttpResponse:
    """Today's round: the stops still to be made, in order; without a shift an empty one."""
    found = rounds.round_of(driver)
    return JsonResponse(rounds.as_json(found) if found else {"driver": driver.name, "stops": []})


@require_POST
@api_of(DRIVER)
def positions(request: HttpRequest, driver: Driver) -> HttpResponse:
    """{"positions": [{"lat", "lon", "at", "heading", "speed"}]}: of the driver's own van, in any order."""
    count_try("positions", str(driver.pk), limit=POSITION_POSTS, seconds=POSITION_SECONDS)
    services.record_fixes(driver=driver, fixes=fixes_of(fields_of(request)))
    return HttpResponse(status=204)


@require_POST
@api_of(DRIVER)
def depart(request: HttpRequest, driver: Driver) -> HttpResponse:
    left = services.depart(driver=driver, at=instant_of(fields_of(request).get("at")))
    return JsonResponse({"again": not left})


@require_POST
@api_of(DRIVER)
def arrive(request: HttpRequest, driver: Driver, visit_id: int) -> HttpResponse:
    return _told(services.arrive(driver=driver, visit_id=visit_id, at=instant_of(fields_of(request).get("at"))))


@require_POST
@api_of(DRIVER)
def complete(request: HttpRequest, driver: Driver, visit_id: int) -> HttpResponse:
    """Fields `at`, `received_by`, `left_at` and a file `photo` (multipart), or the fields alone as JSON."""
    fields = fields_of(request)
    outcome = services.complete(
        driver=driver,
        visit_id=visit_id,
        at=instant_of(fields.get("at")),
        photo=request.FILES.get("photo"),
        received_by=word_of(fields.get("received_by")),
        left_at=word_of(fields.get("left_at")) or "in_person",
    )
    return _told(outcome)


@require_POST
@api_of(DRIVER)
def fail(request: HttpRequest, driver: Driver, visit_id: int) -> HttpResponse:
    fields = fields_of(request)
    reason = word_of(fields.get("reason"))
    return _told(services.fail(driver=driver, visit_id=visit_id, reason=reason, at=instant_of(fields.get("at"))))


@require_POST
@api_of(DRIVER)
def acknowledge(request: HttpRequest, driver: Driver, delivery: str) -> HttpResponse:
    version = number_of(fields_of(request).get("version"))
    is_current = services.acknowledge(driver=driver, delivery=delivery, version=version)
    return JsonResponse({"current": is_current})


@require_POST
@api_of(DRIVER)
def code(_request: HttpRequest, driver: Driver, delivery: str) -> HttpResponse:
    return JsonResponse({"code": services.reveal_code(driver=driver, delivery=delivery)})


def _told(outcome: Outcome) -> JsonResponse:
    return JsonResponse({"visit": outcome.visit, "state": outcome.state, "again": outcome.again})
