"""The calendar file of the page's link."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.deliveries.access import Access
from apps.deliveries.services import tracking_url
from apps.tracking.calendar import calendar_file
from apps.tracking.facts import gather
from apps.tracking.state import document, told_window
from apps.tracking.views.gate import shopper_view


@require_safe
@shopper_view
def calendar(_request: HttpRequest, access: Access) -> HttpResponse:
    """Made of the rows, not of the prepared page: a file outlives the moment in which that page is a little behind."""
    facts = gather([access.delivery.pk])[access.delivery.pk]
    doc = document(facts, access.tier, clock.now())
    body = calendar_file(doc, access.delivery.merchant.name, tracking_url(access.link), told_window(facts))
    method = "CANCEL" if b"METHOD:CANCEL" in body else "PUBLISH"
    response = HttpResponse(body, content_type=f"text/calendar; charset=utf-8; method={method}")
    response["Content-Disposition"] = 'attachment; filename="delivery.ics"'
    return response
