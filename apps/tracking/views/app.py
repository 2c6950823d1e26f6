"""What makes the page installable: its manifest, the merchant's icons, and the icon that browsers ask for unasked."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.templatetags.static import static
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.deliveries.access import Access
from apps.deliveries.services import token_of
from apps.merchants.models import Branding
from apps.tracking import brand
from apps.tracking.icons import SIZES, icon_png
from apps.tracking.views.gate import paths, shopper_view

_LONGEST_SHORT_NAME = 12


@require_safe
@shopper_view
def manifest(_request: HttpRequest, access: Access) -> HttpResponse:
    """Of this very link, under its own address and never cached: one shared by all would start somebody's page."""
    merchant = access.delivery.merchant
    branding = brand.branding_of(merchant)
    start = paths(token_of(access.link))["page"]
    described = {
        "id": start,
        "start_url": start,
        "scope": start,
        "name": _("Delivery from %(name)s") % {"name": merchant.name},
        "short_name": merchant.name[:_LONGEST_SHORT_NAME].strip(),
        "lang": get_language() or settings.LANGUAGE_CODE,
        "dir": "rtl" if get_language_bidi() else "ltr",
        "display": "standalone",
        "background_color": brand.LIGHT_GROUNDS[0],
        "theme_color": brand.LIGHT_GROUNDS[0],
        "icons": [
            {"src": address, "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for size in SIZES
            if size != brand.TOUCH_ICON
            for purpose in ("any", "maskable")
            if (address := brand.icon_url(merchant.slug, branding, size))
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


@require_safe
def icon(request: HttpRequest, slug: str, size: int) -> HttpResponse:
    if size not in SIZES:
        raise Http404
    branding = get_object_or_404(Branding.objects.select_related("merchant"), merchant__slug=slug)
    response = HttpResponse(icon_png(branding.accent, branding.merchant.name, size), content_type="image/png")
    is_current = request.GET.get("v") == brand.fingerprint(branding)
    response["Cache-Control"] = "public, max-age=31536000, immutable" if is_current else "public, max-age=300"
    return response


@require_safe
def favicon(_request: HttpRequest) -> HttpResponse:
    """Browsers ask for it whatever the page says."""
    return HttpResponseRedirect(static("icons/favicon.ico"), headers={"Cache-Control": "public, max-age=86400"})
