"""Makes the journeys' small day in an empty demo database; processes.py calls `make()` in a process of its own.

Three vans, 42 deliveries today and 12 tomorrow at real addresses. FL 1101 is loaded and under way; FL 2201 and Velo 1
still stand at the depot. On Thursday only one cargo bike works, with room for a single parcel.
"""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from apps.core import clock
from apps.deliveries.models import Parcel
from apps.demo import cast, extract, stage
from apps.demo import day as days
from apps.demo.management.commands import load_demo
from apps.demo.orders import OPEN_DAY, orders
from apps.fleet.models import Depot, Driver, Shift, Vehicle
from apps.merchants.models import Merchant
from apps.redirection.models import PickupPoint
from apps.routing import services as routing
from apps.routing.models import DayPlan, Route

TODAY, TOMORROW, THURSDAY = date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12)
UNDER_WAY, AT_DEPOT, ON_THURSDAY = "FL 1101", "FL 2201", "Velo 9"
# Long stops: one that goes moves those behind it by more than anybody would call the same time.
SERVICE_SECONDS = 900
BUILD_SECONDS = 2.0


def make() -> None:
    merchants = stage.set_merchants()
    stage.set_map()
    depot = _fleet()
    random = Random(7)
    _orders(random, merchants, TODAY, 42, first=1)
    _orders(random, merchants, TOMORROW, 12, first=101)
    today, _ = _plan(depot, TODAY), _plan(depot, TOMORROW)
    _load_and_leave(today)
    load_demo._react()


def _fleet() -> Depot:
    # So little room each that the planner needs all of them, and none of the limits that the demo's own fleet has.
    plain = {"pieces": 16, "cost": (0, 0, 0, 0, 0), "barred_postcodes": "", "reload_seconds": 0, "shift": cast.DAY}
    plain["at_micro_depot"] = False
    vans = [replace(van, **plain) for van in cast.VEHICLES if van.code in (UNDER_WAY, AT_DEPOT, "Velo 1")]
    depot = stage.set_fleet([TODAY, TOMORROW], vans)
    # Two of them stand at the depot while the clock runs, so a lunch planned to the minute would come late.
    Shift.objects.update(breaks=[])
    bike = Vehicle.objects.create(
        depot=depot,
        code=ON_THURSDAY,
        kind="cargo_bike",
        profile="bicycle",
        capacity_grams=60_000,
        capacity_cubic_centimetres=600_000,
        capacity_pieces=1,
    )
    rider = Driver.objects.create(name="Gian", phone="+4237910000")
    hours = {"starts_at": stage.local(THURSDAY, 8), "ends_at": stage.local(THURSDAY, 18)}
    Shift.objects.create(driver=rider, vehicle=bike, day=THURSDAY, **hours)
    return depot


def _orders(random: Random, merchants: dict[str, Merchant], day: date, count: int, first: int) -> None:
    """One light parcel each, most of them welcome all day."""
    homes = [n for n, a in enumerate(extract.load_addresses()) if a.kind == "house" and a.city in ("Schaan", "Vaduz")]
    with clock.frozen(stage.local(TODAY - timedelta(days=1), 17)):
        for number, order in enumerate(orders(random, count, homes, first)):
            plain = replace(
                order,
                merchant="lumen" if number % 4 == 3 else "alpenkorb",
                language="en",
                window=(9, 15) if number % 10 == 9 else OPEN_DAY,
                parcels=(replace(order.parcels[0], grams=1_200, millimetres=(300, 200, 100)),),
                service_seconds=SERVICE_SECONDS,
                from_shop=False,
                preferred=None,
                needs=(),
            )
            days.create(merchants[plain.merchant], plain, day)


def _plan(depot: Depot, day: date) -> DayPlan:
    with clock.frozen(stage.local(TODAY - timedelta(days=1), 20)):
        plan = routing.build_day(depot=depot, day=day, seconds=BUILD_SECONDS)
        shops = PickupPoint.objects.filter(is_active=True).values_list("latitude", "longitude")
        routing.prepare(depot=depot, day=day, places=shops)
        routing.publish(plan=plan)
    return plan


def _load_and_leave(plan: DayPlan) -> None:
    route = Route.objects.get(plan=plan, shift__vehicle__code=UNDER_WAY)
    with clock.frozen(stage.local(TODAY, 7.5)):
        for parcel in Parcel.objects.filter(delivery__drops__visit__route=route):
            routing.load(barcode=parcel.barcode, vehicle=UNDER_WAY, actor="clerk:1")
    with clock.frozen(stage.local(TODAY, 8.5)):
        routing.depart(route=route, actor=f"driver:{route.shift.driver_id}")
