"""The small named world most tests live in: Alpenkorb sends, Alice, Bob and Charlie receive, two vans drive.

Places are real ones in Liechtenstein; instants are UTC (Vaduz is one hour ahead in March).
"""

from datetime import UTC, date, datetime, timedelta

from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Contact, Delivery, Order, Parcel, Place
from apps.deliveries.states import State
from apps.fleet.models import Depot, Driver, Shift, Vehicle
from apps.merchants.models import Branding, Merchant, Policy

TODAY = date(2026, 3, 10)
MORNING = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)

SPOTS = {
    "Alice": ("Landstrasse", "12", "9490", "Vaduz", 47.1410, 9.5215),
    "Bob": ("Feldkircher Strasse", "31", "9494", "Schaan", 47.1680, 9.5110),
    "Charlie": ("Landstrasse", "40", "9495", "Triesen", 47.1080, 9.5270),
}


def hours(start: float, end: float, day: date = TODAY) -> TimeWindow:
    """A window in local hours of the day (Vaduz in winter: UTC+1)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=1)
    return TimeWindow(midnight + timedelta(hours=start), midnight + timedelta(hours=end))


def merchant(slug: str = "alpenkorb", name: str = "Alpenkorb") -> Merchant:
    made, is_new = Merchant.objects.get_or_create(slug=slug, defaults={"name": name, "help_phone": "+4232300000"})
    if is_new:
        Branding.objects.create(merchant=made)
        Policy.objects.create(merchant=made)
    # Read back, because a row that was just made still has its times of day as text.
    return Merchant.objects.get(pk=made.pk)


def depot() -> Depot:
    return Depot.objects.get_or_create(
        code="schaan",
        defaults={
            "name": "Depot Schaan",
            "street": "Im alten Riet",
            "town": "Schaan",
            "latitude": 47.1715,
            "longitude": 9.5045,
        },
    )[0]


def shift(code: str = "van-1", day: date = TODAY, start: float = 8, end: float = 18, kind: str = "diesel_van") -> Shift:
    vehicle = Vehicle.objects.get_or_create(
        code=code,
        defaults={
            "depot": depot(),
            "kind": kind,
            "profile": "bicycle" if kind == "cargo_bike" else "car",
            "capacity_grams": 800_000,
            "capacity_cubic_centimetres": 8_000_000,
            "capacity_pieces": 150,
        },
    )[0]
    driver = Driver.objects.get_or_create(name=f"Driver of {code}")[0]
    window = hours(start, end, day)
    return Shift.objects.create(
        driver=driver, vehicle=vehicle, day=day, starts_at=window.earliest, ends_at=window.latest
    )


def place(name: str, offset: float = 0.0) -> Place:
    street, number, postcode, town, latitude, longitude = SPOTS[name]
    return Place.objects.create(
        street=street,
        house_number=number,
        postcode=postcode,
        town=town,
        latitude=latitude + offset,
        longitude=longitude,
    )


def delivery(
    name: str = "Alice",
    window: TimeWindow | None = None,
    sender: Merchant | None = None,
    offset: float = 0.0,
    state: State = State.CREATED,
) -> Delivery:
    """A delivery as rows, without a plan; `offset` moves the place north by so many degrees."""
    sender = sender or merchant()
    number = Order.objects.count() + 1
    contact = Contact.objects.create(
        name=f"{name} Muster", phone=f"+42379100{number % 100:02d}", email=f"{name.lower()}{number}@example.com"
    )
    order = Order.objects.create(merchant=sender, reference=f"A-{number:04d}", buyer=contact, placed_at=MORNING)
    where = place(name, offset)
    window = window or hours(8, 18)
    made = Delivery.objects.create(
        order=order,
        merchant=sender,
        recipient=contact,
        place=where,
        home=where,
        state=state,
        window_earliest=window.earliest,
        window_latest=window.latest,
        created_at=MORNING,
    )
    Parcel.objects.create(
        delivery=made,
        barcode=f"DS{number:08d}",
        weight_grams=2500,
        length_millimetres=300,
        width_millimetres=200,
        height_millimetres=150,
    )
    return made


def planned_day(
    names: tuple[str, ...] = ("Alice", "Bob", "Charlie"),
    *,
    vans: int = 2,
    day: date = TODAY,
    window: TimeWindow | None = None,
) -> list[Delivery]:
    """Deliveries that stand in a plan of the day, each inserted by the product's own service; vans of the roster."""
    for number in range(1, vans + 1):
        if not Shift.objects.filter(vehicle__code=f"van-{number}", day=day).exists():
            shift(f"van-{number}", day)
    return [put_in_plan(delivery(name, window or hours(8, 18, day))) for name in names]


def put_in_plan(made: Delivery) -> Delivery:
    """Gives a delivery its place in the standing plan of its window's day."""
    from apps.routing.services import change_in_plan

    change_in_plan(delivery=made, place=made.place, window=made.window, write=lambda: made)
    made.refresh_from_db()
    return made
