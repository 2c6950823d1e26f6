"""The trackers' two addresses under WSGI; the embedded server answers them without Django (ingest.py), alike.

An unknown id, a revoked one and a mangled report get the same empty answer.
"""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.errors import DoorstepError, Throttled
from apps.core.throttles import check_tries, count_try
from apps.drivers.auth import sealed
from apps.drivers.positions import record
from apps.drivers.senders import Sender, sender_of_tracker
from apps.drivers.trackers import MOST_BYTES, Report, forwarded_report, is_our_traccar, osmand_report

__all__ = [
    "BUSY",
    "MOST_BYTES",
    "NOT_OUR_TRACCAR",
    "NOT_TAKEN",
    "TAKEN",
    "Report",
    "forwarded_report",
    "is_our_traccar",
    "osmand",
    "osmand_report",
    "sender_of",
    "traccar",
]

TAKEN, NOT_TAKEN, NOT_OUR_TRACCAR, BUSY = 200, 400, 401, 503
MISSES, MISS_SECONDS = 120, 60


@csrf_exempt
@require_http_methods(["GET", "POST"])
def osmand(request: HttpRequest) -> HttpResponse:
    is_small = int(request.META.get("CONTENT_LENGTH") or 0) <= MOST_BYTES
    report = None
    if is_small:
        report = osmand_report(request.META.get("QUERY_STRING", ""), request.content_type or "", request.body)
    return sealed(HttpResponse(status=_take(report, request.META.get("REMOTE_ADDR", ""))))


@csrf_exempt
@require_POST
def traccar(request: HttpRequest) -> HttpResponse:
    if not is_our_traccar(request.headers.get("Authorization", "")):
        return sealed(HttpResponse(status=NOT_OUR_TRACCAR))
    if int(request.META.get("CONTENT_LENGTH") or 0) <= MOST_BYTES:
        _take(forwarded_report(request.body), "")
    return sealed(HttpResponse(status=TAKEN))


def sender_of(report: Report, *, address: str) -> Sender | None:
    """Who reports; None for whom nobody knows. An address that guesses on is not even looked up."""
    try:
        if address:
            check_tries("tracker-miss", address, limit=MISSES, seconds=MISS_SECONDS)
        found = sender_of_tracker(report.kind, report.identity)
        if found is None and address:
            count_try("tracker-miss", address, limit=MISSES, seconds=MISS_SECONDS)
    except Throttled:
        return None
    return found


def _take(report: Report | None, address: str) -> int:
    if report is None:
        return NOT_TAKEN
    try:
        sender = sender_of(report, address=address)
    except DoorstepError:
        # Off shift: taken from the phone's hands and thrown away, else it would send the evening's way tomorrow.
        return TAKEN
    if sender is None:
        return NOT_TAKEN
    if report.fixes:
        record({sender: report.fixes})
    return TAKEN
