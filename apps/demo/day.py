"""Makes the demo's days: orders as shops would have sent them, planned, loaded, under way; and yesterday's endings."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from random import Random

from django.core.files.base import ContentFile

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries import services as deliveries
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput, Terms
from apps.deliveries.models import Delivery, Place
from apps.deliveries.states import State
from apps.demo import extract
from apps.demo.cast import SHOPS
from apps.demo.orders import DemoOrder, orders
from apps.demo.proof_photo import proof_photo
from apps.demo.stage import local, point_of
from apps.drivers.loading import vans_today
from apps.fleet.models import Depot
from apps.merchants.models import Merchant
from apps.redirection import selectors as points
from apps.redirection import services as redirection
from apps.redirection.models import PickupPoint
from apps.routing import services as routing
from apps.routing.models import DayPlan

TODAY_COUNT, TOMORROW_COUNT = 320, 300
BUILD_SECONDS = 12
TOWNS, VILLAGES_SHARE = {"9490", "9494"}, 3
"""Most people live in the two towns, and the map knows the houses of the villages best: every third of those orders."""


def make_orders(
    random: Random, merchants: dict[str, Merchant], day: date, count: int, first: int, *, ordered: datetime
) -> list[Delivery]:
    """`count` deliveries for that day, ordered at that instant; `first` numbers references and phones."""
    addresses = extract.load_addresses()
    homes = [
        index
        for index, address in enumerate(addresses)
        if address.kind in {"house", "apartments"} and (address.postcode in TOWNS or index % VILLAGES_SHARE == 0)
    ]
    with clock.frozen(ordered):
        return [create(merchants[order.merchant], order, day) for order in orders(random, count, homes, first)]


def create(merchant: Merchant, order: DemoOrder, day: date) -> Delivery:
    address = extract.load_addresses()[order.address]
    latitude, longitude = point_of(address)
    return deliveries.create_delivery(
        merchant=merchant,
        reference=order.reference,
        recipient=ContactInput(order.recipient, order.phone, order.email, order.language),
        buyer=None,
        place=PlaceInput(
            street=address.street,
            house_number=address.number,
            postcode=address.postcode,
            town=address.city,
            latitude=latitude,
            longitude=longitude,
            country=extract.COUNTRY,
        ),
        window=TimeWindow(local(day, order.window[0]), local(day, order.window[1])),
        parcels=[
            ParcelInput(parcel.grams, *parcel.millimetres, parcel.description, f"{order.reference}-{number}")
            for number, parcel in enumerate(order.parcels, start=1)
        ],
        service_seconds=order.service_seconds,
        terms=Terms(
            Delivery.Kind.RETURN if order.is_return else Delivery.Kind.DELIVERY,
            order.priority,
            frozenset(order.needs),
            collect_from=_shop_of(order),
            preferred=None if order.preferred is None else TimeWindow(*(local(day, hour) for hour in order.preferred)),
        ),
        actor=f"merchant:{merchant.pk}",
    )


def _shop_of(order: DemoOrder) -> PlaceInput | None:
    if not order.from_shop:
        return None
    shop = SHOPS[order.merchant]
    return PlaceInput(
        street=shop.street,
        house_number=shop.number,
        postcode=shop.postcode,
        town=shop.town,
        latitude=shop.latitude,
        longitude=shop.longitude,
        country=extract.COUNTRY,
        kind=Place.Kind.SHOP,
        name=shop.name,
        opening_hours=shop.opening_hours,
    )


def make_plan(depot: Depot, day: date, *, at: datetime) -> DayPlan:
    """The day's routes, built at that instant by the product's own planner."""
    with clock.frozen(at):
        plan = routing.build_day(depot=depot, day=day, seconds=BUILD_SECONDS)
        shops = PickupPoint.objects.filter(is_active=True).values_list("latitude", "longitude")
        routing.prepare(depot=depot, day=day, places=shops)
        return plan


def send_out(plan: DayPlan) -> None:
    """Morning at the depot: published, scanned in, loaded; vans whose shift begins at half past eight have left."""
    with clock.frozen(local(plan.day, 6)):
        routing.publish(plan=plan)
    with clock.frozen(local(plan.day, 7.5)):
        # A second load waits at the ramp until its van is back.
        for van in (van for depot in plan.depot.together for van in vans_today(depot)):
            for barcode in van.missing:
                routing.load(barcode=barcode, vehicle=van.vehicle, actor="clerk:1")
    early = local(plan.day, 8.5)
    for route in plan.routes.filter(shift__starts_at__lte=early, visits__isnull=False).distinct():
        with clock.frozen(early - timedelta(minutes=2)):
            routing.depart(route=route, actor=f"driver:{route.shift.driver_id}")


def make_yesterday(random: Random, merchants: dict[str, Merchant], day: date, first: int) -> None:
    """One delivery for every way a delivery can end or wait."""
    ordered = local(day - timedelta(days=1), 16)
    made = iter(make_orders(random, merchants, day, 7, first, ordered=ordered))
    noon = local(day, 12)
    end(next(made), noon, State.DELIVERED, with_photo)
    end(next(made), noon + timedelta(minutes=9), State.DELIVERED, with_photo)
    end(next(made), noon + timedelta(minutes=31), State.FAILED, reason="consignee_not_home")
    end(next(made), noon + timedelta(minutes=44), State.RETURNING, reason="consignee_refused")
    with clock.frozen(noon):
        cancelled = next(made)
        deliveries.cancel_delivery(
            delivery=cancelled, reason="ordered_twice", revision=cancelled.revision, actor="shopper"
        )
    for delivery in made:
        _bring_to_point(delivery, noon + timedelta(hours=1))


def end(
    delivery: Delivery,
    at: datetime,
    state: State,
    proof: Callable[[Delivery, datetime], None] | None = None,
    reason: str = "",
) -> None:
    """Takes a delivery to its end at that instant, past every state on the way."""
    actor = "driver:1"
    _move(delivery, (State.PLANNED, State.LOADED, State.OUT), at - timedelta(hours=3))
    with clock.frozen(at):
        if proof:
            proof(delivery, at)
        deliveries.move_state(delivery_id=delivery.pk, to=state, actor=actor, reason=reason, at=at)


def _move(delivery: Delivery, states: Sequence[State], at: datetime) -> None:
    for minutes, state in enumerate(states):
        with clock.frozen(at + timedelta(minutes=minutes)):
            deliveries.move_state(delivery_id=delivery.pk, to=state, actor="system", at=clock.now())


def with_photo(delivery: Delivery, at: datetime) -> None:
    """Keeps a picture of where it was left."""
    deliveries.record_proof(
        delivery=delivery,
        kind="photo",
        image=ContentFile(proof_photo(delivery.pk), "proof.jpg"),
        left_at="porch",
        point=delivery.place.point,
        taken_at=at,
    )


def _bring_to_point(delivery: Delivery, at: datetime) -> None:
    with clock.frozen(at - timedelta(hours=6)):
        offer = next(offer for offer in points.nearby_points(delivery=delivery) if offer.fits)
        redirection.direct_to_point(delivery=delivery, point=offer.point, actor="shopper")
    _move(delivery, (State.PLANNED, State.LOADED, State.OUT), at - timedelta(hours=3))
    with clock.frozen(at):
        redirection.store_at_point(delivery_ids=[delivery.pk], actor="driver:1")
