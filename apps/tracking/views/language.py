"""The switch of languages: plain links, and a cookie that keeps the choice."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from apps.deliveries.access import Access
from apps.deliveries.services import token_of
from apps.tracking.views.gate import paths, shopper_view


@require_safe
@shopper_view
def language(request: HttpRequest, access: Access) -> HttpResponse:
    """?to=fr keeps the choice for this browser and leads back to the page; an unknown language changes nothing."""
    response = HttpResponseRedirect(paths(token_of(access.link))["page"])
    wanted = request.GET.get("to", "")
    if wanted in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response
