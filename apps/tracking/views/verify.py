"""The step up: a one-time code to the contact on file makes this browser a verified one for half an hour."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.core.errors import DoorstepError, NotFound, Throttled
from apps.deliveries import access as gate
from apps.deliveries.access import VERIFIED_COOKIE, VERIFIED_SECONDS, Access
from apps.deliveries.services import token_of
from apps.tracking.views.change_flow import form_headers
from apps.tracking.views.gate import SOCKET_COOKIE, base_context, paths, shopper_view

# Where a code may be wanted for.
_LEADS_TO = ("page", "time", "place", "instructions", "cancel", "rate", "report", "message")


@require_http_methods(["GET", "HEAD", "POST"])
@shopper_view
def verify(request: HttpRequest, access: Access) -> HttpResponse:
    """GET asks where to send the code (or for the code); POST `channel` sends one, POST `code` checks it."""
    gate.require_changeable(access)
    where = paths(token_of(access.link))
    error = ""
    if request.method == "POST":
        try:
            if "code" in request.POST:
                return _verified(request, access, gate.verify_code(access=access, code=request.POST["code"]))
            gate.request_code(access=access, channel=request.POST.get("channel", ""))
            return HttpResponseRedirect(f"{where['verify']}?sent={request.POST['channel']}&next={_next_name(request)}")
        except NotFound:
            raise
        except DoorstepError as refused:
            error = refused.message
            status = 429 if isinstance(refused, Throttled) else 422
            return _form(request, access, error, status)
    return _form(request, access, error, 200)


def _form(request: HttpRequest, access: Access, error: str, status: int) -> HttpResponse:
    channels = gate.channels_of(access.delivery)
    sent = request.GET.get("sent", "")
    context = {
        **base_context(access, token_of(access.link)),
        "channels": channels,
        "sent": sent if sent in channels else "",
        "sent_to": channels.get(sent, ""),
        "next": _next_name(request),
        "error": error,
    }
    return form_headers(render(request, "tracking/verify.html", context, status=status))


def _verified(request: HttpRequest, access: Access, value: str) -> HttpResponse:
    """Back to what the code was wanted for; the cookie goes to this link's own addresses only."""
    where = paths(token_of(access.link))
    return remember(request, HttpResponseRedirect(where[_next_name(request)]), where, value)


def remember(request: HttpRequest, response: HttpResponse, where: Mapping[str, str], value: str) -> HttpResponse:
    """Makes the browser a verified one at the addresses of `where`."""
    for name, path in ((VERIFIED_COOKIE, where["page"]), (SOCKET_COOKIE, where["socket"])):
        response.set_cookie(
            name,
            value,
            max_age=VERIFIED_SECONDS,
            path=path,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


def _next_name(request: HttpRequest) -> str:
    """One of the page's own addresses by name, so that nobody can be sent elsewhere."""
    asked = request.POST.get("next") or request.GET.get("next") or "page"
    return asked if asked in _LEADS_TO else "page"
