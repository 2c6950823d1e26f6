"""The admin's sidebar, by what people come for; entries that are not there or not theirs to open are left out."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from apps.support.selectors import operator_today, parked_count, unanswered_count

Entry = tuple[Any, str, str, str]

# (title, icon, app_model, query); {today} is the operator's day.
GROUPS: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        _("Customers"),
        (
            (_("Find a delivery"), "search", "deliveries_delivery", ""),
            (_("Messages"), "forum", "notifications_message", ""),
            (_("Orders"), "receipt_long", "deliveries_order", ""),
            (_("Ratings"), "star", "feedback_rating", ""),
        ),
    ),
    (
        _("Today"),
        (
            (_("Routes"), "route", "routing_route", "plan__day__exact={today}"),
            (_("Plans"), "event_note", "routing_dayplan", ""),
            (_("Re-planning"), "published_with_changes", "routing_replan", ""),
            (_("Honest times"), "avg_pace", "routing_learnedmodel", ""),
        ),
    ),
    (
        _("Exceptions"),
        (
            (_("Not delivered"), "error", "deliveries_delivery", "state__exact=failed"),
            (_("Problem reports"), "report", "feedback_problemreport", "state__exact=open"),
            (_("Disputed attempts"), "gavel", "feedback_dispute", "state__exact=open"),
            (_("Customers' messages"), "chat", "feedback_threadmessage", "waits=1"),
            (_("Parked work"), "inventory", "events_reaction", "state__exact=parked"),
            (_("Messages not sent"), "sms_failed", "notifications_message", "state__exact=failed"),
            (_("Webhooks"), "webhook", "storefront_webhookattempt", ""),
        ),
    ),
    (
        _("Set up"),
        (
            (_("Merchants"), "storefront", "merchants_merchant", ""),
            (_("Blocks on pages"), "ad_units", "tracking_contentblock", ""),
            (_("API keys"), "key", "merchants_apikey", ""),
            (_("Pick-up points"), "pin_drop", "redirection_pickuppoint", ""),
            (_("Vehicles"), "local_shipping", "fleet_vehicle", ""),
            (_("Zones"), "pentagon", "fleet_zone", ""),
            (_("Drivers"), "badge", "fleet_driver", ""),
            (_("Trackers"), "sensors", "fleet_tracker", ""),
            (_("Shifts"), "calendar_month", "fleet_shift", ""),
            (_("Depots"), "warehouse", "fleet_depot", ""),
        ),
    ),
    (
        _("Operator"),
        (
            (_("What happened"), "history", "events_event", ""),
            (_("People"), "person", "auth_user", ""),
            (_("Groups"), "group", "auth_group", ""),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation (setting UNFOLD["SIDEBAR"]["navigation"])."""
    openable, today = _openable(request), operator_today().isoformat()
    groups = []
    for title, entries in GROUPS:
        items = list(_items(request, entries, openable, today))
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    home = {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index"), "active": _at_home}
    return [{"items": [home]}, *groups]


def _items(
    request: HttpRequest, entries: tuple[Entry, ...], openable: set[str], today: str
) -> Iterator[dict[str, Any]]:
    for title, icon, model, filtered in entries:
        if model not in openable:
            continue
        query = filtered.format(today=today)
        item: dict[str, Any] = {
            "title": title,
            "icon": icon,
            "link": changelist(model, query),
            "active": _is_here(request, model, query),
        }
        if count := _waiting(request, model, query):
            item["badge"], item["badge_variant"] = str(count), "danger"
        yield item


def _waiting(request: HttpRequest, model: str, query: str) -> int:
    """How much of this list waits for somebody; counted for two lists only, as every page of the admin asks."""
    if (model, query) == ("events_reaction", "state__exact=parked"):
        return parked_count()
    if (model, query) == ("feedback_threadmessage", "waits=1"):
        return unanswered_count(request.user)
    return 0


def changelist(model: str, query: str = "") -> str:
    """The address of a list ("deliveries_delivery"), filtered; empty when there is no such list."""
    try:
        address = reverse(f"admin:{model}_changelist")
    except NoReverseMatch:
        return ""
    return f"{address}?{query}" if query else address


def _openable(request: HttpRequest) -> set[str]:
    """Lists that stand in the admin and that this person may look at."""
    named = {entry[2] for _title, entries in GROUPS for entry in entries}
    return {name for name in named if (page := _page(name)) is not None and page.has_view_permission(request)}


def _page(name: str) -> "admin.ModelAdmin[Any] | None":
    app, _underscore, model = name.partition("_")
    try:
        return admin.site.get_model_admin(apps.get_model(app, model))
    except (LookupError, NotRegistered):
        return None


def _is_here(request: HttpRequest, model: str, query: str) -> bool:
    """The plain entry is lit unless a filtered one of the same list is."""
    if not request.path.startswith(changelist(model)):
        return False
    here = request.META.get("QUERY_STRING", "")
    if query:
        return query in here
    rivals = [rival for _title, entries in GROUPS for *_rest, other, rival in entries if other == model and rival]
    return not any(rival.partition("{")[0] in here for rival in rivals)


def _at_home(request: HttpRequest) -> bool:
    return request.path == reverse("admin:index")
