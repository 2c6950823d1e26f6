"""What the page does when something happened: it is prepared anew, for everybody whose page the fact changes."""

from itertools import batched
from typing import Any

from apps.deliveries.models import Delivery
from apps.deliveries.selectors import parts_of_orders
from apps.deliveries.services import bump_pages
from apps.deliveries.states import ENDED
from apps.routing.models import Drop
from apps.tracking import services

_BATCH = 500


def on_delivery(payload: dict[str, Any]) -> None:
    """The page of the delivery that the event is about, and those of the same order, which show it too."""
    if payload.get("delivery"):
        services.refresh(_with_its_order([payload["delivery"]]))


def on_progress(payload: dict[str, Any]) -> None:
    """The delivery's own page and those behind it on the van: they are a stop nearer now."""
    if payload.get("delivery"):
        services.refresh(_with_its_order([payload["delivery"]]))
        services.refresh_old(_sharing_a_van_with(payload["delivery"]))


def on_link(payload: dict[str, Any]) -> None:
    """A link was replaced or withdrawn: the page is the same, but who holds it open must be asked again."""
    if payload.get("delivery"):
        services.announce([payload["delivery"]])


def on_etas(payload: dict[str, Any]) -> None:
    moved = payload.get("deliveries", [])
    services.refresh_old(moved)
    services.refresh(set(_with_its_order(moved)).difference(moved))


def on_route(payload: dict[str, Any]) -> None:
    """Everybody on the route: the number of stops before them may have changed."""
    services.refresh_old(_waiting().filter(visit__route_id=payload.get("route")).values_list("delivery_id", flat=True))


def on_plan(payload: dict[str, Any]) -> None:
    services.refresh_old(_waiting().filter(visit__plan_id=payload.get("plan")).values_list("delivery_id", flat=True))


def on_break(payload: dict[str, Any]) -> None:
    """Nothing shown moved but the van, which its driver's break hides: dots are asked for anew, too."""
    waiting = _waiting().filter(visit__route__shift_id=payload["shift"]).values_list("delivery_id", flat=True)
    services.refresh(waiting)
    services.announce(waiting)


def on_merchant(payload: dict[str, Any]) -> None:
    """All pages of the merchant are old now; those of deliveries that have ended are made anew when they are read."""
    pages = Delivery.objects.filter(merchant=payload["merchant"])
    for ids in batched(pages.values_list("pk", flat=True), _BATCH):
        bump_pages(delivery_ids=ids)
    services.refresh_old(pages.exclude(state__in=ENDED).values_list("pk", flat=True))


def on_time_passed(_payload: dict[str, Any]) -> None:
    services.refresh_due()


def on_night_begun(_payload: dict[str, Any]) -> None:
    services.forget_changes()


def _with_its_order(delivery_ids: list[int]) -> list[int]:
    others = [part.pk for parts in parts_of_orders(delivery_ids).values() for part in parts]
    return [*delivery_ids, *others]


def _waiting() -> Any:
    return Drop.objects.filter(is_open=True, is_hold=False)


def _sharing_a_van_with(delivery_id: int) -> list[int]:
    routes = Drop.objects.filter(delivery_id=delivery_id, is_hold=False, visit__route__departed_at__isnull=False)
    newest = routes.order_by("-pk").values("visit__route_id")[:1]
    return list(_waiting().filter(visit__route_id__in=newest).values_list("delivery_id", flat=True))
