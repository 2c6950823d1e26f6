"""The picture of a merchant's block: kept here, so that readers ask nobody else for it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.core.sealed_ids import opened_id
from apps.tracking.models import ContentBlock


@require_safe
def picture(_request: HttpRequest, slug: str, sealed: str) -> HttpResponse:
    """404 outside its time: what is announced for tomorrow is not shown today."""
    block = get_object_or_404(ContentBlock, pk=opened_id("block", sealed), merchant__slug=slug, is_active=True)
    if not block.image or not block.is_due(clock.now()):
        raise Http404
    try:
        body = block.image.open("rb").read()
    except FileNotFoundError:
        raise Http404 from None
    headers = {"Cache-Control": "public, max-age=86400", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return HttpResponse(body, content_type="image/jpeg", headers=headers)
