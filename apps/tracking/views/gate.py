"""What every address under /t/<token> has in common: one gate, one answer for a dead link, one set of headers."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from apps.core.errors import NotAllowed, NotFound, Throttled
from apps.deliveries import access as gate
from apps.deliveries.access import VERIFIED_COOKIE, Access
from apps.tracking import brand
from apps.tracking.selectors import page_document
from apps.tracking.state import Document, view_only

# The same value under the socket's own path: a cookie of the page does not travel there.
SOCKET_COOKIE = f"{VERIFIED_COOKIE}_socket"
# The link is the one secret in a URL: nothing may keep, forward or index it.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

_BELOW = (
    "state",
    "dot",
    "live",
    "time",
    "place",
    "instructions",
    "cancel",
    "verify",
    "rate",
    "report",
    "dispute",
    "message",
    "share",
    "language",
)


def shopper_view[**P](
    view: Callable[Concatenate[HttpRequest, Access, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Opens the link in the URL and hands its Access to the view; the view may raise NotFound and Throttled."""

    @wraps(view)
    def opened(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            response = view(request, access_of(request, token), *args, **kwargs)
        except NotFound:
            response = render(request, "404.html", status=404)
        except NotAllowed as error:
            response = _sent_back(request, token, error)
        except Throttled as error:
            response = render(request, "tracking/throttled.html", {"message": error.message}, status=429)
            response["Retry-After"] = str(error.details.get("retry_after_seconds", 60))
        return sealed(response)

    return opened


def _sent_back(request: HttpRequest, token: str, error: NotAllowed) -> HttpResponse:
    """A missing step-up is asked for, and leads back here; a link that may only look has no such address."""
    if error.code != "step_up_required":
        return render(request, "404.html", status=404)
    match = request.resolver_match
    wanted = match.url_name if match and match.url_name else "page"
    return HttpResponseRedirect(f"{paths(token)['verify']}?next={wanted}")


def access_of(request: HttpRequest, token: str) -> Access:
    """NotFound for a token that opens nothing; the tier is raised where the cookie proves it."""
    access = gate.open_link(token, address=request.META.get("REMOTE_ADDR", ""))
    return gate.tier_from(access, request.COOKIES.get(VERIFIED_COOKIE))


def sealed(response: HttpResponse) -> HttpResponse:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    patch_vary_headers(response, ["Cookie"])
    return response


def document_for(access: Access) -> Document:
    """The page as this link's holder may see it."""
    page = page_document(access.delivery, access.tier)
    return view_only(page) if access.view_only else page


def base_context(access: Access, token: str) -> dict[str, Any]:
    """What the page and every change flow shows around its own content."""
    return {
        "brand": brand.context(access.delivery.merchant),
        "token": token,
        "paths": paths(token),
        "access": access,
    }


def paths(token: str) -> dict[str, str]:
    page = reverse("tracking:page", args=[token])
    return {"page": page, **{name: f"{page}/{name}" for name in _BELOW}, **_files(page), "socket": f"/ws{page}"}


def _files(page: str) -> dict[str, str]:
    return {"calendar": f"{page}/calendar.ics", "manifest": f"{page}/manifest.webmanifest"}
