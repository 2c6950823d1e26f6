"""Who is calling, behind our own proxies."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class CallerAddress:
    """Sets REMOTE_ADDR to what the outermost of our PROXY_HOPS proxies saw; further entries are the caller's own claim.

    Without proxies the header is ignored, because then everybody could write it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        hops = settings.PROXY_HOPS
        if hops > 0:
            seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
            if len(seen) >= hops:
                request.META["REMOTE_ADDR"] = seen[-hops]
        return self.get_response(request)
