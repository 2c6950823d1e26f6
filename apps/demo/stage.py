"""Sets the demo's stage as rows: merchants with their brands, the fleet, the map's addresses and pick-up points."""

from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model

from apps.demo import cast, extract
from apps.demo.models import DemoKey
from apps.fleet import services as fleet
from apps.fleet.models import Depot, Driver, Shift, Vehicle, Zone
from apps.merchants import services as merchants
from apps.merchants.models import Branding, Membership, Merchant, Policy
from apps.places import services as places
from apps.redirection import services as redirection
from apps.redirection.models import PickupPoint

ZONE = ZoneInfo(extract.TIME_ZONE)
LONG_SHIFT_HOURS = 6
_COSTS = ("cost_per_start", "cost_per_hour", "cost_per_kilometre", "cost_per_stop", "cost_per_overtime_hour")
STAFF_NAME, STAFF_PASSWORD = "demo", "demo"  # loopback only; the start page prints them


def local(day: date, hour: float) -> datetime:
    """That hour of the day in the depot's zone."""
    return datetime.combine(day, time(int(hour), round(hour % 1 * 60)), tzinfo=ZONE)


def set_merchants() -> dict[str, Merchant]:
    staff = get_user_model().objects.create_superuser(STAFF_NAME, "demo@doorstep.invalid", STAFF_PASSWORD)
    made = {}
    for plan in cast.MERCHANTS:
        merchant = Merchant.objects.create(
            slug=plan.slug,
            name=plan.name,
            time_zone=extract.TIME_ZONE,
            language="de",
            help_phone="+4232300000",
            help_email=f"help@{plan.slug}.example",
        )
        Branding.objects.create(merchant=merchant, accent=plan.accent, logo_svg=plan.logo_svg)
        Policy.objects.create(merchant=merchant, **plan.policy)
        Membership.objects.create(user=staff, merchant=merchant, role=Membership.Role.OWNER)
        _key, secret = merchants.make_api_key(merchant=merchant, name="Demo shop")
        DemoKey.objects.create(kind=DemoKey.Kind.MERCHANT, name=plan.slug, secret=secret)
        made[plan.slug] = merchant
    return made


def set_map() -> None:
    places.load_addresses(
        (address.street, address.number, address.postcode, address.city, extract.COUNTRY, *point_of(address))
        for address in extract.load_addresses()
    )
    for point in extract.load_points():
        row = PickupPoint.objects.create(
            code=point.id,
            kind=PickupPoint.Kind.POST_OFFICE if point.kind == "post_office" else PickupPoint.Kind.SHOP,
            name=point.name,
            street=point.street,
            house_number=point.number,
            postcode=point.postcode,
            town=point.city,
            latitude=point.lat,
            longitude=point.lon,
            opening_hours=point.opening_hours,
            capacity=60 if point.kind == "post_office" else 12,
        )
        token = redirection.make_handout_link(point=row)
        DemoKey.objects.create(kind=DemoKey.Kind.POINT, name=row.name, reference=row.pk, secret=token)


def point_of(address: extract.Address) -> tuple[float, float]:
    return address.entrance or (address.lat, address.lon)


def set_fleet(days: Sequence[date], vehicles: Sequence[cast.DemoVehicle] = cast.VEHICLES) -> Depot:
    """The depot with its roster, and the micro depot in town where some of the vehicles start there."""
    depot = _set_depot("schaan", extract.DEPOT, "Ramp 1", overlap_seconds=200, balance_percent=20)
    starts = {False: depot}
    if any(plan.at_micro_depot for plan in vehicles):
        zone = {"postcodes": cast.VADUZ, "cutoff_time": cast.MICRO_DEPOT_CLOSES, "has_stock": True}
        micro = {"kind": Depot.Kind.MICRO, "parent": depot, **zone}
        starts[True] = _set_depot("vaduz", extract.MICRO_DEPOT, "Micro depot", **micro)
    for plan, name in zip(vehicles, cast.DRIVERS, strict=False):
        vehicle = Vehicle.objects.create(
            depot=starts[plan.at_micro_depot],
            code=plan.code,
            kind=plan.kind,
            profile=plan.profile,
            capacity_grams=plan.grams,
            capacity_cubic_centimetres=plan.cubic_centimetres,
            capacity_pieces=plan.pieces,
            range_metres=plan.range_metres,
            recharge_seconds=plan.recharge_seconds,
            reload_seconds=plan.reload_seconds,
            max_stops=plan.max_stops,
            postcodes=plan.postcodes,
            barred_postcodes=plan.barred_postcodes,
            skills=list(plan.skills),
            grams_co2e_per_kilometre=plan.grams_co2e,
            factor_source=plan.factor_source,
            **dict(zip(_COSTS, plan.cost, strict=True)),
        )
        driver = Driver.objects.create(name=name, phone="+4237910000")
        token = fleet.issue_driver_token(driver=driver)
        DemoKey.objects.create(kind=DemoKey.Kind.DRIVER, name=f"{name}, {plan.code}", reference=driver.pk, secret=token)
        start, end = plan.shift
        lunch = [cast.LUNCH] if end - start > LONG_SHIFT_HOURS else []
        rests = {"breaks": lunch, "overtime_seconds": cast.OVERTIME_SECONDS}
        for day in days:
            Shift.objects.create(
                driver=driver,
                vehicle=vehicle,
                day=day,
                starts_at=local(day, start),
                ends_at=local(day, end),
                **({} if plan.kind == Vehicle.Kind.CARRIER else rests),
            )
    return depot


def set_zone() -> None:
    """The old town of Vaduz, which diesel vans may not enter."""
    corners = [
        [9.5196, 47.1368],
        [9.5221, 47.1366],
        [9.5229, 47.1392],
        [9.5226, 47.1424],
        [9.5203, 47.1427],
        [9.5197, 47.14],
    ]
    shape = {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
    Zone.objects.create(name="Städtle Vaduz", shape=shape, barred_kinds=[Vehicle.Kind.DIESEL_VAN])


def _set_depot(code: str, site: extract.DepotSite, ramp: str, **more: object) -> Depot:
    depot = Depot.objects.create(
        code=code,
        name=site.name,
        street=f"{site.street} {site.number}",
        town=site.city,
        latitude=site.lat,
        longitude=site.lon,
        time_zone=extract.TIME_ZONE,
        **more,
    )
    token = fleet.issue_depot_device(depot=depot, name=ramp)
    DemoKey.objects.create(kind=DemoKey.Kind.CLERK, name=ramp, reference=depot.pk, secret=token)
    return depot


def profile_of_driver(driver_id: int) -> str:
    """The road profile of the vehicle this driver drives all week."""
    return str(Shift.objects.filter(driver_id=driver_id).values_list("vehicle__profile", flat=True)[0])
