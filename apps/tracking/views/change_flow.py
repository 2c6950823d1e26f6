"""What the change flows share: who may change, the headers of a page with a form, its context, its errors."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps.core.errors import DoorstepError, NotAllowed, NotFound, Refused, Throttled
from apps.deliveries.access import Access, require_changeable
from apps.deliveries.services import token_of
from apps.tracking.day_words import window_words
from apps.tracking.views.gate import base_context, paths, shopper_view

FlowView = Callable[[HttpRequest, Access], HttpResponse]
# What the gate answers in its own way.
FOR_THE_GATE = (NotFound, NotAllowed, Throttled)
# Refusals for the delivery's state, the van's progress or the shop's policy.
_CLOSED = frozenset({"ended", "too_late", "cutoff", "limit", "change_limit", "policy", "not_offered"})


def flow_view(view: FlowView) -> Callable[..., HttpResponse]:
    """Opens the link, turns view-only holders away, and answers with the headers of a page that has a form."""

    @wraps(view)
    def opened(request: HttpRequest, access: Access) -> HttpResponse:
        require_changeable(access)
        return form_headers(view(request, access))

    return require_http_methods(["GET", "HEAD", "POST"])(shopper_view(opened))


def form_headers(response: HttpResponse) -> HttpResponse:
    """Under "no-referrer" browsers send `Origin: null` with a form, which the CSRF check must refuse."""
    response["Referrer-Policy"] = "same-origin"
    return response


def flow_page(request: HttpRequest, access: Access, template: str, status: int = 200, **context: Any) -> HttpResponse:
    shown = {**base_context(access, token_of(access.link)), "revision": access.delivery.revision, **context}
    return render(request, f"tracking/change/{template}.html", shown, status=status)


def is_closed(refused: Refused) -> bool:
    """Whether no other choice would be granted either."""
    return not refused.alternatives and refused.code in _CLOSED


def closed_page(request: HttpRequest, access: Access, refused: Refused) -> HttpResponse:
    """Says why nothing can be chosen any more, and offers nothing."""
    return flow_page(request, access, "closed", status=refused.status, **error_context(refused))


def goes_to(access: Access, name: str, query: str = "") -> HttpResponseRedirect:
    """To one of the link's own pages, so that a reload sends nothing twice."""
    return HttpResponseRedirect(paths(token_of(access.link))[name] + (f"?{query}" if query else ""))


def revision_from(request: HttpRequest) -> int:
    """The revision the form was made for; -1, which no delivery has, when it is missing or mangled."""
    text = request.POST.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def agreed_words(access: Access) -> str:
    delivery = access.delivery
    return window_words(delivery.window, delivery.merchant.time_zone)


def error_context(error: DoorstepError) -> dict[str, Any]:
    return {"error": error.message, "error_tone": "warn"}
