"""A day of many vans as rows, for the benchmarks of the live road: published routes under way, links, phones."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import django

ROOT = Path(__file__).resolve().parent.parent
CENTRE = (47.15, 9.52)


class World(NamedTuple):
    """Device tokens by van; link tokens by van; the environment that a server of this world needs."""

    phones: list[str]
    links: list[list[str]]
    environment: dict[str, str]


def set_up(database_url: str = "") -> dict[str, str]:
    """Points this process (and, by the environment it returns, its children) at an empty database of its own."""
    folder = tempfile.mkdtemp(prefix="doorstep-live-")
    changes = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url or f"sqlite:///{folder}/bench.sqlite3",
        "RUN_DIR": f"{folder}/run",
        "ROADS_DIR": os.environ.get("ROADS_DIR", f"{folder}/no-roads"),
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }
    os.environ.update(changes)
    sys.path.insert(0, str(ROOT))
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {**os.environ, **changes}


def build(environment: dict[str, str], *, vans: int, pages: int) -> World:
    """`vans` vans on the road with `pages` deliveries each, all of whose holders may see the van."""
    from apps.fleet.models import Depot
    from apps.fleet.services import issue_driver_token
    from apps.merchants.models import Branding, Merchant, Policy

    merchant = Merchant.objects.create(slug="bench", name="Bench")
    Branding.objects.create(merchant=merchant)
    Policy.objects.create(merchant=merchant, show_position="always")
    depot = Depot.objects.create(
        code="bench", name="Bench", street="-", town="-", latitude=47.3, longitude=9.6, time_zone="UTC"
    )
    shifts = _shifts(depot, vans)
    links = _deliveries(merchant, depot, shifts, pages)
    return World([issue_driver_token(driver=shift.driver) for shift in shifts], links, environment)


def _shifts(depot, vans: int) -> list:  # type: ignore[no-untyped-def,type-arg]
    from apps.fleet.models import Driver, Shift, Vehicle

    vehicles = Vehicle.objects.bulk_create(
        Vehicle(
            depot=depot,
            code=f"bench-{number}",
            kind="diesel_van",
            capacity_grams=10**6,
            capacity_cubic_centimetres=10**7,
            capacity_pieces=200,
        )
        for number in range(vans)
    )
    drivers = Driver.objects.bulk_create(Driver(name=f"Driver {number}") for number in range(vans))
    now = datetime.now(UTC)
    return Shift.objects.bulk_create(
        Shift(
            driver=driver,
            vehicle=vehicle,
            day=now.date(),
            starts_at=now - timedelta(hours=4),
            ends_at=now + timedelta(hours=8),
        )
        for driver, vehicle in zip(drivers, vehicles, strict=True)
    )


def _deliveries(merchant, depot, shifts, pages: int) -> list[list[str]]:  # type: ignore[no-untyped-def]
    from apps.core.encryption import sha256_hex
    from apps.deliveries.models import Contact, Delivery, Link, Order
    from apps.deliveries.services import token_of
    from apps.routing.models import DayPlan, Drop, Route, Visit

    now, count = datetime.now(UTC), len(shifts) * pages
    contact = Contact.objects.create(name="Anna Muster", phone="+423791000001", email="anna@example.com")
    order = Order.objects.create(merchant=merchant, reference="B-1", buyer=contact, placed_at=now)
    places = _places(count)
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            order=order,
            merchant=merchant,
            recipient=contact,
            place=place,
            home=place,
            state="out",
            window_earliest=now,
            window_latest=now + timedelta(hours=6),
            created_at=now,
        )
        for place in places
    )
    plan = DayPlan.objects.create(depot=depot, day=now.date(), stage=DayPlan.Stage.PUBLISHED)
    routes = Route.objects.bulk_create(
        Route(plan=plan, shift=shift, departed_at=now - timedelta(minutes=30)) for shift in shifts
    )
    visits = Visit.objects.bulk_create(
        Visit(
            plan=plan,
            route=routes[number // pages],
            sequence=number % pages + 1,
            place=place,
            service_seconds=120,
            planned_arrival=now + timedelta(minutes=10 * (number % pages + 1)),
            eta_earliest=now + timedelta(minutes=10 * (number % pages)),
            eta_latest=now + timedelta(minutes=10 * (number % pages + 2)),
        )
        for number, place in enumerate(places)
    )
    Drop.objects.bulk_create(
        Drop(visit=visit, delivery=delivery) for visit, delivery in zip(visits, deliveries, strict=True)
    )
    links = Link.objects.bulk_create(Link(delivery=delivery, created_at=now) for delivery in deliveries)
    tokens = [token_of(link) for link in links]
    for link, token in zip(links, tokens, strict=True):
        link.token_sha256 = sha256_hex(token)
    Link.objects.bulk_update(links, ["token_sha256"], batch_size=500)
    _prepare(deliveries)
    return [tokens[start : start + pages] for start in range(0, count, pages)]


def _places(count: int):  # type: ignore[no-untyped-def]
    from apps.deliveries.models import Place

    return Place.objects.bulk_create(
        Place(
            street="Landstrasse",
            house_number=str(number),
            postcode="9490",
            town="Vaduz",
            latitude=CENTRE[0] + number % 97 / 2000,
            longitude=CENTRE[1] + number % 89 / 2000,
        )
        for number in range(count)
    )


def _prepare(deliveries) -> None:  # type: ignore[no-untyped-def]
    """The pages' rows stand before anybody opens them, as they do when workers run; all are made like the first."""
    from apps.tracking.models import PageSnapshot
    from apps.tracking.services import refresh

    first = deliveries[0].pk
    refresh([first])
    # Preparing it may have bumped the version.
    type(deliveries[0]).objects.update(page_version=type(deliveries[0]).objects.get(pk=first).page_version)
    rows = list(PageSnapshot.objects.filter(delivery_id=first).values("tier", "version", "document"))
    PageSnapshot.objects.bulk_create(
        PageSnapshot(delivery_id=delivery.pk, **row) for delivery in deliveries[1:] for row in rows
    )


@contextmanager
def cpu_of(pid: int) -> Iterator[list[float]]:
    """Seconds of processor that the process used within the block, in the list's one place."""
    spent = [0.0]
    before = _cpu(pid)
    yield spent
    spent[0] = _cpu(pid) - before


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0
