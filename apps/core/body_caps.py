"""How much a request may bring along: refused by its Content-Length, before anything reads (and keeps) the body.

The CSRF check reads forms before any gate does, and files have no limit of Django's own. Django reads no more than the
Content-Length says, under ASGI and WSGI alike, so the header is enough.
"""

import re
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

MOST_BYTES = 1_000_000
# Where photos come in: a day's work of a phone that was offline, a case, a merchant's block.
_LARGER = (
    # Its own parser reads 64 KiB and says so as a problem document; nothing else reads there.
    (re.compile(r"/api/"), 10**18),
    (re.compile(r"/driver/(api/)?(visits|events)\b"), 80_000_000),
    (re.compile(r"/t/[^/]+/report"), 50_000_000),
    (re.compile(r"/admin/tracking/contentblock/"), 15_000_000),
)


def most_bytes(path: str) -> int:
    """What may be sent to this path."""
    return next((most for pattern, most in _LARGER if pattern.match(path)), MOST_BYTES)


class BodyCaps:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isascii() and length.isdigit() and len(length) < 19 and int(length) <= most_bytes(request.path_info):
            return self.get_response(request)
        # Before anybody's language is known, and for no browser that shows our own forms.
        refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return HttpResponse(refusal.phrase, status=refusal, content_type="text/plain; charset=utf-8")
