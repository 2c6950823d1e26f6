"""The driver's JSON interface; the page, the simulator and any app of a fleet speak it."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from apps.core.throttles import count_try
from apps.drivers import rounds, services
from apps.drivers.auth import DRIVER, api_of
from apps.drivers.inputs import fields_of, fixes_of, instant_of, number_of, word_of
from apps.drivers.services import Outcome
from apps.drivers.shown_inputs import anyway_of, batch_of, shown_of
from apps.fleet.models import Driver

POSITION_POSTS, POSITION_SECONDS = 300, 60
EVENT_POSTS = 120
PROOF_POSTS = 60


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
def rest(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Field `begins`: true when a break begins, anything else when it ends."""
    changed = services.rest(driver=driver, begins=fields_of(request).get("begins") is True)
    return JsonResponse({"again": not changed})


@require_POST
@api_of(DRIVER)
def break_down(_request: HttpRequest, driver: Driver) -> HttpResponse:
    """The van drives no further today: its stops go elsewhere, or its people are told."""
    return JsonResponse({"stops": services.break_down(driver=driver)})


@require_POST
@api_of(DRIVER)
def arrive(request: HttpRequest, driver: Driver, visit_id: int) -> HttpResponse:
    return _told(services.arrive(driver=driver, visit_id=visit_id, at=instant_of(fields_of(request).get("at"))))


@require_POST
@api_of(DRIVER)
def complete(request: HttpRequest, driver: Driver, visit_id: int) -> HttpResponse:
    """Files `photo` (several) and `signature` with the fields of shown_inputs (multipart), or the fields as JSON."""
    count_proof(driver)
    fields = fields_of(request)
    shown = shown_of(fields, request.FILES)
    return _told(services.complete(driver=driver, visit_id=visit_id, at=instant_of(fields.get("at")), shown=shown))


@require_POST
@api_of(DRIVER)
def fail(request: HttpRequest, driver: Driver, visit_id: int) -> HttpResponse:
    """`reason`, and `anyway` where something speaks against it; a `photo` and notes where there are any."""
    count_proof(driver)
    fields = fields_of(request)
    outcome = services.fail(
        driver=driver,
        visit_id=visit_id,
        reason=word_of(fields.get("reason")),
        shown=shown_of(fields, request.FILES),
        anyway=anyway_of(fields),
        at=instant_of(fields.get("at")),
    )
    return _told(outcome)


@require_POST
@api_of(DRIVER)
def events(request: HttpRequest, driver: Driver) -> HttpResponse:
    """What the phone kept while it had no signal, in its order; {"answers": [...]}, one per event."""
    count_try("phone-events", str(driver.pk), limit=EVENT_POSTS, seconds=POSITION_SECONDS)
    told, more = batch_of(request)
    return JsonResponse({"answers": services.replay(driver=driver, events=told, more=more)})


@require_POST
@api_of(DRIVER)
def contact(request: HttpRequest, driver: Driver, delivery: str) -> HttpResponse:
    """`channel` call, sms or bell: tried to reach the recipient."""
    fields = fields_of(request)
    channel = word_of(fields.get("channel"))
    is_new = services.contact(driver=driver, delivery=delivery, channel=channel, at=instant_of(fields.get("at")))
    return JsonResponse({"again": not is_new})


@require_POST
@api_of(DRIVER)
def read_notice(_request: HttpRequest, driver: Driver, notice_id: int) -> HttpResponse:
    return JsonResponse({"again": not services.read_notice(driver=driver, notice_id=notice_id)})


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


def count_proof(driver: Driver) -> None:
    """Pictures cost time to read: PROOF_POSTS ends of stops a minute, on the page and here together."""
    count_try("proofs", str(driver.pk), limit=PROOF_POSTS, seconds=POSITION_SECONDS)


def _told(outcome: Outcome) -> JsonResponse:
    return JsonResponse(outcome.as_answer())
