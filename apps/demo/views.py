"""The demo's front door: a live choice of pages worth opening, for every face of the product."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core import clock
from apps.deliveries import services as deliveries
from apps.deliveries.models import Delivery, Link
from apps.deliveries.selectors import full_link_of
from apps.deliveries.states import State
from apps.demo import extract, showcase, stage
from apps.demo.models import DemoKey
from apps.fleet.models import Depot, Vehicle
from apps.merchants.models import Merchant
from apps.redirection.models import PickupPoint, Reservation
from apps.routing.models import Route, Visit
from apps.tracking import selectors as tracking

ZONE = ZoneInfo(extract.TIME_ZONE)
NEAR, FAR = 4, 9
# Of this shop, which shows its van from twelve stops on: near enough to be seen, far enough to be changed for a while.
FEATURED, FEATURED_STOPS = "alpenkorb", (10, 13)


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """templates/demo/start.html names the context."""
    groups = [group for group in _groups() if group["cards"]]
    own = _on_route(_rows().filter(merchant__slug=FEATURED), *FEATURED_STOPS)
    cards = _group("", "", own[:1])["cards"] or (groups[0]["cards"] if groups else [])
    featured = cards.pop(0) if cards else None
    context = {
        "now": date_format(clock.now().astimezone(ZONE), "D j F, H:i"),
        "speed": settings.CLOCK_SPEED,
        "counts": _counts(),
        "featured": featured,
        "groups": [group for group in groups if group["cards"]],
        "faces": list(_faces()),
        "vans": _vans_to_take(),
    }
    return render(request, "demo/start.html", context)


def _counts() -> dict[str, int]:
    today = clock.now().astimezone(ZONE).date()
    return {
        "deliveries": Visit.objects.filter(plan__day=today).count(),
        "vans": Vehicle.objects.count(),
        "merchants": Merchant.objects.count(),
        "points": PickupPoint.objects.filter(is_active=True).count(),
    }


def _rows() -> QuerySet[Delivery]:
    return Delivery.objects.select_related("merchant", "recipient").order_by("-pk")


def _groups() -> Iterable[dict[str, Any]]:
    rows = _rows()
    ended = rows.filter(state=State.DELIVERED).order_by("-ended_at")
    yield _group(_("Near now"), _("The van is on the map."), _on_route(rows, 1, NEAR))
    yield _group(_("On the same van"), _("Open two beside each other and move one."), _same_van(rows))
    yield _group(_("Later today"), _("Loaded: its van stays, its time may move."), _on_route(rows, FAR, 60)[:3])
    yield _group(_("Tomorrow"), _("Still at the depot: any van may bring it."), _tomorrow(rows))
    yield _group(_("One order in three parts"), _("Each with a van and a time of its own."), showcase.parts())
    yield _group(_("Ready to collect"), _("At a real shop or post office."), rows.filter(state=State.AT_POINT)[:3])
    yield _group(_("Delivered"), _("With proof, a rating, and what the shop would like to say."), _one_per_shop(ended))
    gone_wrong = (State.FAILED, State.RETURNING, State.CANCELLED)
    disputed = showcase.disputed()[:1]
    other = rows.exclude(pk__in=[one.pk for one in disputed])
    # The driver's word about the recipient can be disputed, so such a one comes first.
    nobody_there = other.filter(state=State.FAILED, attempts__reason_code__startswith="consignee_").first()
    found = [nobody_there, *(other.filter(state=state).first() for state in gone_wrong)]
    wrong = list(dict.fromkeys(one for one in found if one is not None))[:3]
    note = _("Choose a new time, dispute the attempt, see what is being checked.")
    yield _group(_("When something went wrong"), note, wrong[:1] + disputed + wrong[1:])
    yield _shared(_on_route(rows, 1, FAR)[:1])


def _one_per_shop(ended: QuerySet[Delivery]) -> list[Delivery]:
    """The newest of each shop: every shop has its own words and questions."""
    firsts: dict[int, Delivery] = {}
    for delivery in ended[:60]:
        firsts.setdefault(delivery.merchant_id, delivery)
    return list(firsts.values())[:3]


def _shared(found: Iterable[Delivery]) -> dict[str, Any]:
    cards = [_card(delivery, showcase.shared_link(delivery)) for delivery in found]
    return {"title": _("Shared with somebody"), "note": _("A link that may look and change nothing."), "cards": cards}


def _group(title: str, note: str, found: Iterable[Delivery]) -> dict[str, Any]:
    linked = ((delivery, full_link_of(delivery.pk)) for delivery in found)
    return {"title": title, "note": note, "cards": [_card(delivery, link) for delivery, link in linked if link]}


def _card(delivery: Delivery, link: Link) -> dict[str, str]:
    hero = tracking.page_hero(delivery)
    return {
        "url": deliveries.tracking_path(link),
        "icon": hero.icon,
        "status": hero.status,
        "tone": hero.tone,
        "headline": hero.headline,
        "name": delivery.recipient.name,
        "merchant": delivery.merchant.name,
    }


def _under_way() -> QuerySet[Route]:
    return Route.objects.filter(departed_at__isnull=False, finished_at=None).order_by("pk")


def _on_route(rows: QuerySet[Delivery], first: int, last: int) -> list[Delivery]:
    """One delivery per van that is on the road, between so many stops away."""
    found: list[Delivery] = []
    for route in _under_way():
        ahead = Visit.objects.filter(route=route, state=Visit.State.PLANNED).order_by("sequence")[first:last]
        found += rows.filter(drops__visit__in=list(ahead), drops__is_open=True, state=State.OUT).order_by(
            "drops__visit__sequence"
        )[:1]
    return found[:3]


def _same_van(rows: QuerySet[Delivery]) -> list[Delivery]:
    route = _under_way().filter(visits__state=Visit.State.PLANNED).distinct().last()
    ahead = Visit.objects.filter(route=route, state=Visit.State.PLANNED).order_by("sequence")[5:8]
    return list(rows.filter(drops__visit__in=list(ahead), drops__is_open=True).order_by("drops__visit__sequence"))


def _tomorrow(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    today = clock.now().astimezone(ZONE).date()
    return rows.filter(state=State.PLANNED, drops__visit__plan__day__gt=today, drops__is_open=True)[:3]


def _vans_to_take() -> list[dict[str, Any]]:
    """Some vans on the road, with much of their day before them; what a visitor may drive."""
    left = Count("visits", filter=Q(visits__state__in=Visit.REMAINING))
    routes = _under_way().annotate(left=left).filter(left__gt=0).order_by("-left").select_related("shift__vehicle")
    keys = {key.reference: key for key in DemoKey.objects.filter(kind=DemoKey.Kind.DRIVER)}
    found = [(route, keys.get(route.shift.driver_id)) for route in routes]
    return [
        {"key": key.pk, "code": route.shift.vehicle.code, "left": route.left, "taken": key.taken_at is not None}
        for route, key in found
        if key is not None
    ][:3]


def _faces() -> Iterable[dict[str, str]]:
    driver = DemoKey.objects.filter(kind=DemoKey.Kind.DRIVER).first()
    point = _busy_point()
    shop = DemoKey.objects.filter(kind=DemoKey.Kind.MERCHANT).first()
    login = f"{stage.STAFF_NAME} / {stage.STAFF_PASSWORD}"
    yield _face("demo:phone", (), "smartphone", _("The demo phone"), _("Every text and e-mail, codes included."))
    if driver:
        yield _face("drivers:enter", (driver.secret,), "truck", _("Driver's page"), driver.name)
    for clerk in DemoKey.objects.filter(kind=DemoKey.Kind.CLERK).order_by("pk"):
        at = Depot.objects.filter(pk=clerk.reference or 0).values_list("name", flat=True).first() or clerk.name
        note = _("Load scan of the day.")
        yield _face("drivers:depot_enter", (clerk.secret,), "warehouse", _("Depot clerk"), f"{at}: {note}")
    if point:
        yield _face("drivers:counter", (point.secret,), "store", _("Hand-out at the point"), point.name)
    story = _("Find a delivery, read its story.")
    yield _face("admin:index", (), "layout-dashboard", _("Support in the admin"), story, login)
    if shop:
        api = _("OpenAPI file to download, and a key.")
        yield _face("storefront:schema", (), "key-round", _("Merchant API"), api, shop.secret)


def _face(name: str, args: tuple[str, ...], icon: str, title: str, note: str, secret: str = "") -> dict[str, str]:
    return {"url": reverse(name, args=args), "icon": icon, "title": title, "note": note, "secret": secret}


def _busy_point() -> DemoKey | None:
    """A counter with something to hand out, if there is one."""
    busy = Reservation.objects.filter(state=Reservation.State.STORED).values_list("point_id", flat=True).first()
    keys = DemoKey.objects.filter(kind=DemoKey.Kind.POINT)
    return keys.filter(reference=busy).first() or keys.first()
