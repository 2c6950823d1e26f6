"""Who is calling, behind our own proxies."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def caller_address(direct: str, forwarded: str) -> str:
    """What the outermost of our PROXY_HOPS proxies saw (X-Forwarded-For); further entries are the caller's own claim.

    Without proxies the header is ignored, because then everybody could write it.
    """
    hops = settings.PROXY_HOPS
    seen = [part.strip() for part in forwarded.split(",") if part.strip()]
    return seen[-hops] if 0 < hops <= len(seen) else direct


class CallerAddress:
    """Sets REMOTE_ADDR to the caller's own address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        direct, forwarded = request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", "")
        request.META["REMOTE_ADDR"] = caller_address(direct, forwarded)
        return self.get_response(request)
