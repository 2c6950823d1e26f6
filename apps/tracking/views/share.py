"""Handing the page on: a link of its own that only looks, with an end, and a list of those that were made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.errors import DoorstepError, NotFound
from apps.core.sealed_ids import opened_id, sealed_id
from apps.deliveries.access import Access
from apps.deliveries.models import Link
from apps.deliveries.services import share_link, shares_of, stop_sharing, tracking_url
from apps.tracking.day_words import capitalised, moment_words
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to


@flow_view
def share(request: HttpRequest, access: Access) -> HttpResponse:
    """GET lists the links made from this one; POST `stop` withdraws one, any other POST makes one."""
    if request.method == "POST":
        return _stop(request, access) if "stop" in request.POST else _make(request, access)
    return _page(request, access, made=request.GET.get("made", ""))


def _make(request: HttpRequest, access: Access) -> HttpResponse:
    longest = access.delivery.merchant.policy.share_days
    days = 1 if request.POST.get("days") == "1" else longest
    try:
        made = share_link(link=access.link, label=request.POST.get("label", ""), days=days)
    except FOR_THE_GATE:
        raise
    except DoorstepError as error:
        return _page(request, access, status=error.status, error=error)
    return goes_to(access, "share", f"made={sealed_id('share', made.pk)}")


def _stop(request: HttpRequest, access: Access) -> HttpResponse:
    share_id = opened_id("share", request.POST["stop"])
    if share_id is None:
        raise NotFound("link_not_found")
    stop_sharing(link=access.link, share_id=share_id)
    return goes_to(access, "share")


def _page(
    request: HttpRequest, access: Access, *, status: int = 200, made: str = "", error: DoorstepError | None = None
) -> HttpResponse:
    days = access.delivery.merchant.policy.share_days
    shares = [_row(link, access.delivery.merchant.time_zone) for link in shares_of(access.link)]
    return flow_page(
        request,
        access,
        "share",
        status=status,
        shares=shares,
        made=next((row for row in shares if row["id"] == made), None),
        choices=[(str(number), _days_words(number)) for number in dict.fromkeys((days, 1))],
        **(error_context(error) if error else {}),
    )


def _days_words(days: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def _row(link: Link, zone: str) -> dict[str, Any]:
    return {
        "id": sealed_id("share", link.pk),
        "label": link.label or _("Without a name"),
        "url": tracking_url(link),
        "until": capitalised(moment_words(link.expires_at, zone)) if link.expires_at else "",
        "opened": link.first_opened_at is not None,
    }
