"""The calendar file of the page's link."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.deliveries.access import Access
from apps.deliveries.selectors import open_promise_of
from apps.deliveries.services import tracking_url
from apps.tracking.calendar import calendar_file
from apps.tracking.views.gate import document_for, shopper_view


@require_safe
@shopper_view
def calendar(_request: HttpRequest, access: Access) -> HttpResponse:
    doc, promise = document_for(access), open_promise_of(access.delivery.pk)
    told = [promise.earliest.isoformat(), promise.latest.isoformat()] if promise else doc["window"]
    body = calendar_file(doc, access.delivery.merchant.name, tracking_url(access.link), told)
    method = "CANCEL" if b"METHOD:CANCEL" in body else "PUBLISH"
    response = HttpResponse(body, content_type=f"text/calendar; charset=utf-8; method={method}")
    response["Content-Disposition"] = 'attachment; filename="delivery.ics"'
    return response
