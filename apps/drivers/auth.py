"""Who holds the phone: a driver, or a clerk at a depot. The token stands in a cookie or in `Authorization: Device …`.

A token is looked up on every request, so a revoked phone is dead at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework.authentication import CSRFCheck

from apps.core.errors import DoorstepError, Throttled
from apps.core.problems import problem_json
from apps.core.throttles import check_tries, count_try
from apps.fleet.models import DepotDevice, Driver
from apps.fleet.services import find_depot_device, find_driver

COOKIE_SECONDS = 365 * 24 * 3600
MISSES, MISS_SECONDS = 20, 60
# The page's own address may be told to itself: Django's CSRF check needs the origin of a form.
HEADERS = {"Cache-Control": "private, no-store", "Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex, nofollow"}


@dataclass(frozen=True, slots=True)
class Face[Holder]:
    """One kind of phone: its cookie, the path it is sent to, and how its holder is found."""

    cookie: str
    path: str
    find: Callable[[str], Holder | None]


DRIVER: Face[Driver] = Face("device", "/driver/", find_driver)
CLERK: Face[DepotDevice] = Face("depot", "/depot/", find_depot_device)


def enter[Holder](face: Face[Holder], request: HttpRequest, token: str) -> HttpResponse:
    """Keeps the token of an enrolment link in the phone's cookie; Http404 for every token that is nobody's."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        check_tries("device-miss", address, limit=MISSES, seconds=MISS_SECONDS)
    except Throttled:
        raise Http404 from None
    if face.find(token) is None:
        _count_miss(address)
        raise Http404
    response = HttpResponseRedirect(face.path)
    response.set_cookie(
        face.cookie,
        token,
        max_age=COOKIE_SECONDS,
        path=face.path,
        secure=settings.PUBLIC_BASE_URL.startswith("https"),
        httponly=True,
        samesite="Lax",
    )
    return sealed(response)


type View[Holder, **P] = Callable[Concatenate[HttpRequest, Holder, P], HttpResponse]


def page_of[Holder, **P](face: Face[Holder]) -> Callable[[View[Holder, P]], Callable[..., HttpResponse]]:
    """A page of this phone; without a living token a page that says how to get in (401)."""

    def decorate(view: View[Holder, P]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def opened(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            holder = face.find(request.COOKIES.get(face.cookie, ""))
            if holder is None:
                locked = render(request, "drivers/locked.html", {"face": face.cookie}, status=401)
                if face.cookie in request.COOKIES:
                    # A phone that was taken away forgets its stops; unsent proofs wait a while (driver-store.js).
                    locked["Clear-Site-Data"] = '"cache"'
                return sealed(locked)
            return sealed(view(request, holder, *args, **kwargs))

        return opened

    return decorate


def api_of[Holder, **P](face: Face[Holder]) -> Callable[[View[Holder, P]], Callable[..., HttpResponse]]:
    """A JSON address of this phone. Errors are problem details; a cookie alone also needs the CSRF token."""

    def decorate(view: View[Holder, P]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def opened(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            holder, refusal = _holder_of(face, request)
            if holder is None:
                return sealed(refusal)
            try:
                return sealed(view(request, holder, *args, **kwargs))
            except DoorstepError as error:
                return sealed(problem_of(error))

        return opened

    return decorate


def problem_of(error: DoorstepError) -> HttpResponse:
    """An expected failure as problem details."""
    response = problem_json(error.status, error.code, error.message, **dict(error.details))
    if "retry_after_seconds" in error.details:
        response["Retry-After"] = str(error.details["retry_after_seconds"])
    return response


def _holder_of[Holder](face: Face[Holder], request: HttpRequest) -> tuple[Holder | None, HttpResponse]:
    """Whose phone it is, or the answer for whoever it is not."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    by_header = scheme.lower() == "device"
    holder = face.find(token.strip() if by_header else request.COOKIES.get(face.cookie, ""))
    if holder is None:
        refusal = problem_json(401, "device_unknown", _("This phone is not known here."))
        refusal["WWW-Authenticate"] = "Device"
        return None, refusal
    if not by_header and (reason := csrf_failure(request)):
        return None, problem_json(403, "csrf_failed", reason)
    return holder, HttpResponse()


def sealed(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _count_miss(address: str) -> None:
    try:
        count_try("device-miss", address, limit=MISSES, seconds=MISS_SECONDS)
    except Throttled:
        return


def csrf_failure(request: HttpRequest) -> str:
    check = CSRFCheck(_no_answer)
    check.process_request(request)
    found: Any = check.process_view(request, _no_answer, (), {})
    return str(found or "")


def _no_answer(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()
