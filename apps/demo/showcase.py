"""Pages that no ordinary day has all at once: an order in parts, one to rate, a disputed attempt, a shared link."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries import access as gate
from apps.deliveries import services as deliveries
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput, Terms
from apps.deliveries.models import Delivery, Link, Proof
from apps.deliveries.states import State
from apps.demo import cast, extract
from apps.demo.day import end, make_orders, with_photo
from apps.demo.stage import local, point_of
from apps.feedback.models import Dispute
from apps.feedback.services import dispute_attempt
from apps.merchants.models import Merchant, Policy
from apps.tracking.models import ContentBlock

PARTS_ORDER, FIRST = "AL-19990", 12
SHARED_WITH = "Grandma"


@dataclass(frozen=True, slots=True)
class Part:
    """Something of one order that comes at a time of its own."""

    name: str
    hours: tuple[int, int]
    is_tomorrow: bool = False
    needs: frozenset[str] = frozenset()
    deferred: str = ""


PARTS = (
    Part("Weekly groceries", (10, 12)),
    Part("Cheese and bread", (14, 18), needs=frozenset({"cold"})),
    Part("Olive oil, 5 l", (8, 18), is_tomorrow=True, deferred=Delivery.Deferred.OTHER_WAREHOUSE),
)


def set_blocks(merchants: Mapping[str, Merchant]) -> None:
    """The shops' own lines on their pages, and a question that one of them asks."""
    Policy.objects.filter(merchant=merchants["lumen"]).update(ask_recommendation=True)
    ContentBlock.objects.create(
        merchant=merchants["alpenkorb"],
        title="New on Friday: mountain cheese from Malbun",
        text="Twelve months old, from the summer pastures. Order by Thursday noon.",
        link="https://alpenkorb.example/cheese",
        link_label="See the cheese",
    )
    ContentBlock.objects.create(
        merchant=merchants["lumen"],
        title="Bulbs wear out, shades need not",
        text="We repair every lamp that we have sold.",
        segment=[State.DELIVERED.value, State.COLLECTED.value],
    )


def set_scenes(random: Random, merchants: Mapping[str, Merchant], today: date, *, ordered: datetime) -> None:
    """An order in three parts; and of yesterday, one to rate and one whose attempt is disputed."""
    tomorrow = clock.next_working_day(local(today, 8)).date()
    _order_in_parts(merchants["alpenkorb"], today, tomorrow, ordered=ordered)
    yesterday, noon = today - timedelta(days=1), local(today - timedelta(days=1), 12)
    by_name = {"lumen": merchants["lumen"]} | dict.fromkeys(merchants, merchants["lumen"])
    rated, disputed = make_orders(random, by_name, yesterday, 2, FIRST, ordered=ordered - timedelta(days=1))
    end(rated, noon + timedelta(hours=2), State.DELIVERED, with_photo)
    end(disputed, noon + timedelta(minutes=70), State.FAILED, _nobody_there, reason="consignee_not_home")
    with clock.frozen(noon + timedelta(hours=3)):
        link = deliveries.make_link(delivery=disputed)
        holder = gate.open_link(deliveries.token_of(link))
        dispute_attempt(access=holder, text="I was in the kitchen all day. Nobody rang.")


def parts() -> list[Delivery]:
    """The parts of the one order that comes in several."""
    return list(Delivery.objects.filter(order__reference=PARTS_ORDER).order_by("pk"))


def disputed() -> list[Delivery]:
    """Whose attempt was disputed."""
    return list(Delivery.objects.filter(pk__in=Dispute.objects.values("delivery")).order_by("pk"))


def shared_link(delivery: Delivery) -> Link:
    """A link of this delivery that may only look; one is enough."""
    standing = Link.objects.filter(delivery=delivery, kind=Link.Kind.VIEW, revoked_at=None).first()
    return standing or deliveries.make_link(delivery=delivery, kind=Link.Kind.VIEW)


def _order_in_parts(merchant: Merchant, today: date, tomorrow: date, *, ordered: datetime) -> None:
    homes = [one for one in extract.load_addresses() if one.kind == "house" and one.postcode == "9490"]
    home = homes[len(homes) // 2]
    latitude, longitude = point_of(home)
    with clock.frozen(ordered):
        for part in PARTS:
            day = tomorrow if part.is_tomorrow else today
            deliveries.create_delivery(
                merchant=merchant,
                reference=PARTS_ORDER,
                recipient=ContactInput("Elena Marxer", cast.phone(FIRST + 3), "elena@example.li", "en"),
                buyer=None,
                place=PlaceInput(
                    street=home.street,
                    house_number=home.number,
                    postcode=home.postcode,
                    town=home.city,
                    latitude=latitude,
                    longitude=longitude,
                    country=extract.COUNTRY,
                ),
                window=TimeWindow(local(day, part.hours[0]), local(day, part.hours[1])),
                parcels=[ParcelInput(2_400, 400, 300, 200, part.name)],
                terms=Terms(needs=part.needs, deferred=part.deferred),
                actor=f"merchant:{merchant.pk}",
            )


def _nobody_there(delivery: Delivery, at: datetime) -> None:
    """What the driver left behind of the try: a ring, and from how far away it was given up."""
    deliveries.record_contact_try(
        delivery_id=delivery.pk, channel="bell", at=at - timedelta(minutes=1), actor="driver:1"
    )
    deliveries.record_proof(
        delivery=delivery, kind=Proof.Kind.FAILURE, taken_at=at, details={"metres": 240}, flags=["no_contact"]
    )
