"""Files around the page: the proof photo (verified eyes only), the merchant's colours and logo, the map's tiles."""

from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from apps.core.errors import NotFound
from apps.core.tiles import HEADERS, read_tile
from apps.deliveries.access import Access
from apps.deliveries.models import Proof
from apps.merchants.models import Branding
from apps.tracking import brand
from apps.tracking.views.gate import shopper_view
from apps.tracking.views.page_context import opened_picture

_YEAR = 31_536_000
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@require_safe
@shopper_view
def proof(_request: HttpRequest, access: Access, signed: str) -> HttpResponse:
    """A picture of this very delivery that the merchant shows; to everybody else it does not exist."""
    proof_id = opened_picture(access, signed) if access.is_verified else None
    found = Proof.objects.filter(pk=proof_id or 0, delivery=access.delivery).exclude(image="").first()
    if found is None or not _is_shown(found, access):
        raise NotFound("proof_not_found")
    try:
        photo = found.image.open("rb").read()
    except FileNotFoundError:
        raise NotFound("proof_not_found") from None
    response = HttpResponse(photo, content_type="image/jpeg")
    response["Content-Security-Policy"] = _SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = 'attachment; filename="proof.jpg"'
    return response


def _is_shown(found: Proof, access: Access) -> bool:
    policy = access.delivery.merchant.policy
    return bool(policy.show_signature if found.kind == Proof.Kind.SIGNATURE else policy.show_photo)


@require_safe
def brand_css(request: HttpRequest, slug: str) -> HttpResponse:
    branding = _branding(slug)
    return _cached(request, branding, HttpResponse(brand.stylesheet(branding), content_type="text/css; charset=utf-8"))


@require_safe
def brand_svg(request: HttpRequest, slug: str) -> HttpResponse:
    """The logo as an image: scripts in it cannot run, and nothing in it can load anything."""
    branding = _branding(slug)
    if not branding.logo_svg:
        raise Http404
    response = HttpResponse(branding.logo_svg, content_type="image/svg+xml; charset=utf-8")
    response["Content-Security-Policy"] = _SANDBOX
    return _cached(request, branding, response)


@require_safe
def tile(_request: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    """A vector tile of TILES_DIR (stored gzipped); 204 where the map has nothing."""
    body = read_tile(Path(settings.TILES_DIR), z, x, y)
    if body is None:
        return HttpResponse(status=204, headers={"Cache-Control": HEADERS["Cache-Control"]})
    return HttpResponse(body, headers=HEADERS)


def _branding(slug: str) -> Branding:
    return get_object_or_404(Branding.objects.select_related("merchant"), merchant__slug=slug)


def _cached(request: HttpRequest, branding: Branding, response: HttpResponse) -> HttpResponse:
    is_current = request.GET.get("v") == brand.fingerprint(branding)
    response["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if is_current else "public, max-age=300"
    return response
