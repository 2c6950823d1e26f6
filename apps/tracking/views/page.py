"""The page itself, its documents for the script, and the fragment it swaps in. Nothing is changed."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.deliveries.access import VERIFIED_COOKIE, Access
from apps.deliveries.models import Link
from apps.deliveries.services import note_opened, token_of, was_opened_lately
from apps.deliveries.states import State
from apps.tracking import page_row
from apps.tracking.page_html import content_of, keep_page, kept_page
from apps.tracking.selectors import dot_document, page_text
from apps.tracking.state import view_only
from apps.tracking.views.gate import document_for, paths, sealed, shopper_view
from apps.tracking.views.page_context import page_context

# Programs that look at links before people do (message previews, scanners): their visits are not the shopper's.
_ROBOTS = ("bot", "preview", "crawler", "spider", "facebookexternalhit", "whatsapp", "scan", "curl", "python")


@require_safe
def page(request: HttpRequest, token: str) -> HttpResponse:
    kept = kept_page(token) if VERIFIED_COOKIE not in request.COOKIES else None
    if kept is None:
        return _page_through_the_gate(request, token)
    html = kept.html or _rendered(request, token, kept.link_id)
    if html is None:
        return _page_through_the_gate(request, token)
    if not was_opened_lately(kept.last_opened_at) and is_person(request):
        note_opened(link=Link(pk=kept.link_id, last_opened_at=kept.last_opened_at))
    return sealed(HttpResponse(html))


def _rendered(request: HttpRequest, token: str, link_id: int) -> bytes | None:
    """A first opening without the gate's models; None for what asks the plan as well."""
    content = content_of(link_id)
    if content is None or content.document["status"] == State.FAILED:
        return None
    shown = {"doc": content.document, "brand": content.brand, "token": token, "paths": paths(token)}
    response = render(request, "tracking/page.html", {**shown, "pictures": {}, "days": []})
    keep_page(request, token, content.version, response.content)
    return response.content


@shopper_view
def _page_through_the_gate(request: HttpRequest, access: Access) -> HttpResponse:
    if is_person(request):
        note_opened(link=access.link)
    doc = document_for(access)
    response = render(request, "tracking/page.html", page_context(access, doc))
    if not access.is_verified:
        keep_page(request, token_of(access.link), doc["version"], response.content)
    return response


@require_safe
@shopper_view
def live(request: HttpRequest, access: Access) -> HttpResponse:
    """The part of the page that words a newer document."""
    return render(request, "tracking/_live.html", page_context(access, document_for(access)))


@require_safe
def state(request: HttpRequest, token: str) -> HttpResponse:
    """The document; 304 when the script (?v=) or a cache (If-None-Match) has this version already."""
    if VERIFIED_COOKIE in request.COOKIES:
        return _state_through_the_gate(request, token)
    known = page_row.version_known(request.META.get("QUERY_STRING", ""), request.META.get("HTTP_IF_NONE_MATCH", ""))
    plain = page_row.plain_page(token, known)
    if plain is None:
        return _state_through_the_gate(request, token)
    return sealed(_answer(*plain, "link", is_known=plain[0] == known))


@shopper_view
def _state_through_the_gate(request: HttpRequest, access: Access) -> HttpResponse:
    text = page_text(access.delivery, access.tier)
    version = int(json.loads(text)["version"])
    if access.view_only:
        text = json.dumps(view_only(json.loads(text)), separators=(",", ":"))
    etag = f'"{version}-{access.tier}"'
    is_known = request.GET.get("v") == str(version) or etag in request.headers.get("If-None-Match", "")
    return _answer(version, text, access.tier, is_known=is_known)


def _answer(version: int, text: str, tier: str, *, is_known: bool) -> HttpResponse:
    response = HttpResponse(status=304) if is_known else HttpResponse(text, content_type="application/json")
    response["ETag"] = f'"{version}-{tier}"'
    return response


@require_safe
@shopper_view
def dot(_request: HttpRequest, access: Access) -> HttpResponse:
    return JsonResponse(dot_document(access.delivery))


def is_person(request: HttpRequest) -> bool:
    """False for HEAD, prefetches and programs, so that "opened" means that somebody looked."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    agent = request.headers.get("User-Agent", "").lower()
    return request.method == "GET" and not purpose and not any(word in agent for word in _ROBOTS)
