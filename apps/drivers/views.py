"""The driver's page. Plain forms do everything; the scripts only keep it fresh and send positions."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from apps.core.errors import DoorstepError
from apps.drivers import auth, rounds, rules, services
from apps.drivers.api import count_proof
from apps.drivers.auth import DRIVER, page_of
from apps.drivers.inputs import number_of, word_of
from apps.drivers.loading import vans_today
from apps.drivers.rounds import Round, Stop
from apps.drivers.shown_inputs import anyway_of, shown_of
from apps.feedback.rules import READY_SENTENCES
from apps.fleet.models import Driver
from apps.instructions.models import Instruction


@require_safe
def enter(request: HttpRequest, token: str) -> HttpResponse:
    return auth.enter(DRIVER, request, token)


@require_safe
@page_of(DRIVER)
def round_page(request: HttpRequest, driver: Driver) -> HttpResponse:
    return _page(request, driver)


def told[**P](
    view: Callable[Concatenate[HttpRequest, Driver, P], Any],
) -> Callable[..., HttpResponse]:
    """Back to the page after it was done; the page with the sentence when it could not be."""

    @wraps(view)
    def answered(request: HttpRequest, driver: Driver, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            response = view(request, driver, *args, **kwargs)
        except DoorstepError as error:
            again = {"doubts": error.details.get("doubts"), "chosen_reason": request.POST.get("reason", "")}
            return _page(request, driver, error=error.message, status=error.status, **again)
        if isinstance(response, HttpResponse):
            return response
        return HttpResponseRedirect(reverse("drivers:round"), status=303)

    return answered


@require_POST
@page_of(DRIVER)
@told
def depart(_request: HttpRequest, driver: Driver) -> None:
    services.depart(driver=driver)


@require_POST
@page_of(DRIVER)
@told
def rest(request: HttpRequest, driver: Driver) -> None:
    services.rest(driver=driver, begins=request.POST.get("begins") == "1")


@require_POST
@page_of(DRIVER)
@told
def arrive(_request: HttpRequest, driver: Driver, visit_id: int) -> None:
    services.arrive(driver=driver, visit_id=visit_id)


@require_POST
@page_of(DRIVER)
@told
def complete(request: HttpRequest, driver: Driver, visit_id: int) -> None:
    count_proof(driver)
    services.complete(driver=driver, visit_id=visit_id, shown=shown_of(request.POST.dict(), request.FILES))


@require_POST
@page_of(DRIVER)
@told
def fail(request: HttpRequest, driver: Driver, visit_id: int) -> None:
    count_proof(driver)
    fields = request.POST.dict()
    services.fail(
        driver=driver,
        visit_id=visit_id,
        reason=word_of(fields.get("reason")),
        shown=shown_of(fields, request.FILES),
        anyway=anyway_of(fields),
    )


@require_POST
@page_of(DRIVER)
@told
def contact(request: HttpRequest, driver: Driver, delivery: str) -> None:
    services.contact(driver=driver, delivery=delivery, channel=word_of(request.POST.get("channel", "")))


@require_POST
@page_of(DRIVER)
@told
def read_notice(_request: HttpRequest, driver: Driver, notice_id: int) -> None:
    services.read_notice(driver=driver, notice_id=notice_id)


@require_POST
@page_of(DRIVER)
@told
def read_message(request: HttpRequest, driver: Driver, message_id: int) -> None:
    sentence = word_of(request.POST.get("sentence"), 16)
    services.read_message(driver=driver, message_id=message_id, sentence=sentence)


@require_POST
@page_of(DRIVER)
@told
def acknowledge(request: HttpRequest, driver: Driver, delivery: str) -> None:
    services.acknowledge(driver=driver, delivery=delivery, version=number_of(request.POST.get("version", "")))


@require_POST
@page_of(DRIVER)
@told
def code(request: HttpRequest, driver: Driver, delivery: str) -> HttpResponse:
    """Shown on this one answer only; a reload of the page hides it again."""
    return _page(request, driver, code=services.reveal_code(driver=driver, delivery=delivery), code_of=delivery)


def _page(request: HttpRequest, driver: Driver, *, status: int = 200, **more: Any) -> HttpResponse:
    found = rounds.round_of(driver)
    stop = found.following if found else None
    context = {
        **context_of(driver, found, stop),
        "later": found.stops[1:] if found else (),
        "not_loaded": _not_loaded(found),
        **more,
    }
    return render(request, "drivers/round.html", context, status=status)


def _not_loaded(found: Round | None) -> int:
    """Parcels that would stay behind if the van left now; none where this depot does not scan."""
    if found is None or found.route is None or found.route.departed_at is not None:
        return 0
    vehicle = found.shift.vehicle
    van = next((one for one in vans_today(vehicle.depot) if one.vehicle == vehicle.code), None)
    return len(van.missing) if van is not None and van.loaded else 0


def context_of(driver: Driver, found: Round | None, stop: Stop | None) -> dict[str, Any]:
    """What drivers/_stop.html and what it includes need."""
    return {
        "driver": driver,
        "round": found,
        "zone": found.zone if found else None,
        "stop": stop,
        "cash": [(currency, f"{due / 100:.2f}") for due, currency in stop.needs.cash] if stop else [],
        "ready_sentences": READY_SENTENCES.items(),
        "reasons": rules.reasons_at(is_point=stop.is_point, is_shop=stop.is_collection) if stop else [],
        "safe_places": Instruction.SafePlace.choices,
        "relations": rules.RELATIONS.items(),
        "age_methods": rules.AGE_METHODS.items(),
        "paid_by": rules.PAID_BY.items(),
    }
