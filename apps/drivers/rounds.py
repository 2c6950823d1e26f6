"""What a driver may see of today's route: the next stop in full, the others only as far as finding them goes."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, prefetch_related_objects

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import AccessCode, ContactTry, Delivery, Place
from apps.deliveries.services import needs_doorstep_code
from apps.drivers import rules
from apps.drivers.rules import Needs
from apps.drivers.thread import Written, written_to_driver
from apps.drivers.unread import Unread, unread_of
from apps.fleet.models import Driver, Shift
from apps.instructions.models import Instruction
from apps.routing.models import Drop, Route, Visit
from apps.routing.selectors import breaks_ahead, parcels_of, shop_hours

HELD = 3
"""So many stops a phone without signal can still serve; of the others it knows the way only."""
LATE_TAPS = timedelta(hours=1)
"""So long after a shift and its overtime what is tapped still belongs to it."""
CALLS = (ContactTry.Channel.CALL, ContactTry.Channel.SMS)


@dataclass(frozen=True, slots=True)
class DropAtStop:
    """One delivery of a stop. `delivery` is its public id; who it is for, what they said and its barcodes are there at
    the next HELD stops only."""

    delivery: str
    reference: str
    merchant: str
    recipient: str
    phone: str
    parcels: tuple[str, ...]
    parcel_count: int
    safe_place: str
    safe_place_words: str
    note: str
    instruction_version: int
    acknowledged: bool
    has_access_code: bool
    asks_code: bool
    tries: int
    cash: tuple[int, str] = (0, "")
    """To be paid for it at the door: (minor units, currency)."""
    messages: tuple[Written, ...] = ()

    @property
    def cash_amount(self) -> str:
        """Major units, as a form field has them."""
        return f"{self.cash[0] / 100:.2f}"


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit. `drops` are all there are for this place.

    A call at the depot (`is_reload`) has none, but parcels `to_load`: (barcode, whether it is not on board yet). So has
    a shop where an order, `collects`, is taken on board.
    """

    visit: int
    number: int
    state: str
    place: Place
    window: TimeWindow
    eta: TimeWindow | None
    service_seconds: int
    drops: tuple[DropAtStop, ...]
    needs: Needs
    born_by: date
    arrived_at: datetime | None = None
    may_give_up_at: datetime | None = None
    is_reload: bool = False
    to_load: tuple[tuple[str, bool], ...] = ()
    collects: str = ""

    def seen_as(self, state: str) -> "Stop":
        """The same stop on the way to it, or at its door."""
        return replace(self, state=state)

    @property
    def is_point(self) -> bool:
        return self.place.kind != Place.Kind.ADDRESS

    @property
    def parcel_count(self) -> int:
        return len(self.to_load) if not self.drops else sum(drop.parcel_count for drop in self.drops)

    @property
    def is_collection(self) -> bool:
        return bool(self.collects)

    @property
    def tries(self) -> int:
        """Calls and texts to anybody here; what one person was tried for stands at each of their deliveries."""
        people: dict[tuple[str, str], int] = {}
        for drop in self.drops:
            person = (drop.recipient.casefold(), drop.phone)
            people[person] = max(people.get(person, 0), drop.tries)
        return sum(people.values())

    @property
    def unread(self) -> list[DropAtStop]:
        """Drops whose instructions the driver has not acknowledged yet."""
        return [drop for drop in self.drops if not drop.acknowledged]


@dataclass(frozen=True, slots=True)
class Round:
    """A driver's day: `stops` still to be made in order; `done` of `total` are behind."""

    shift: Shift
    route: Route | None
    zone: ZoneInfo
    stops: tuple[Stop, ...]
    done: int
    total: int
    unread: tuple[Unread, ...] = ()

    @property
    def mark(self) -> str:
        """Changes whenever the driver would see something else."""
        seen: list[Any] = [self.route and (self.route.revision, self.route.departed_at)]
        seen.append([line.notice for line in self.unread])
        for stop in self.stops:
            drops = [(drop.delivery, drop.instruction_version, drop.acknowledged) for drop in stop.drops]
            seen.append([(one.id, one.is_read, one.answer) for drop in stop.drops for one in drop.messages])
            seen.append((stop.visit, stop.state, drops, stop.eta and stop.eta.earliest, stop.tries, stop.to_load))
        return sha256_hex(repr(seen))[:16]

    @property
    def following(self) -> Stop | None:
        return self.stops[0] if self.stops else None


def round_of(driver: Driver) -> Round | None:
    """Today's round; None when the driver is not on today's roster."""
    shift = shift_today(driver)
    if shift is None:
        return None
    zone = ZoneInfo(shift.vehicle.depot.time_zone)
    route = Route.objects.filter(shift=shift).first()
    if route is None:
        return Round(shift, None, zone, (), 0, 0)
    visits = list(route.visits.filter(hold_until=None).order_by("sequence", "pk").values_list("pk", "state"))
    done = sum(state not in Visit.REMAINING for _pk, state in visits)
    return Round(shift, route, zone, _stops(route, done, zone), done, len(visits), unread_of(route))


def shift_today(driver: Driver) -> Shift | None:
    """The driver's shift now."""
    return shift_at(driver, clock.now())


def shift_at(driver: Driver, at: datetime) -> Shift | None:
    """The shift an instant belongs to: the one that lasts then (also past midnight), else that day's at its depot."""
    # The day before and after as well: somewhere on earth it is another date than in UTC.
    days = [at.date() + timedelta(days=days) for days in (-1, 0, 1)]
    shifts = Shift.objects.filter(driver=driver, day__in=days).select_related("vehicle__depot", "driver")
    latest_first = list(shifts.order_by("-starts_at"))
    for shift in latest_first:
        if shift.starts_at <= at <= shift.ends_at + timedelta(seconds=shift.overtime_seconds) + LATE_TAPS:
            return shift
    for shift in latest_first:
        if at.astimezone(ZoneInfo(shift.vehicle.depot.time_zone)).date() == shift.day:
            return shift
    return None


def _stops(route: Route, done: int, zone: ZoneInfo) -> tuple[Stop, ...]:
    today = clock.now().astimezone(zone).date()
    drops = Drop.objects.filter(is_open=True, is_hold=False).select_related(
        "delivery__recipient", "delivery__merchant__policy", "delivery__order", "delivery__instruction"
    )
    drops = drops.prefetch_related("delivery__parcels").annotate(
        has_code=Exists(AccessCode.objects.filter(delivery=OuterRef("delivery"))),
        tries=Count("delivery__contact_tries", filter=Q(delivery__contact_tries__channel__in=CALLS), distinct=True),
    )
    visits = (
        Visit.objects.filter(route=route, state__in=Visit.REMAINING, hold_until=None)
        .select_related("place", "route__shift", "plan__depot", "collects__order", "collects__merchant__policy")
        .prefetch_related(Prefetch("drops", queryset=drops, to_attr="open_drops"))
        .order_by("sequence", "pk")
    )
    found = [visit for visit in visits if visit.open_drops or visit.kind != Visit.Kind.STOP]
    prefetch_related_objects([drop.delivery for visit in found[:HELD] for drop in visit.open_drops], "thread")
    return tuple(_stop(visit, done + index + 1, today, is_near=index < HELD) for index, visit in enumerate(found))


def _stop(visit: Any, number: int, today: date, *, is_near: bool) -> Stop:
    if visit.kind == Visit.Kind.RELOAD:
        return _call_at_depot(visit, number, today)
    if visit.collects is not None:
        return _at_shop(visit, number, today)
    deliveries = [drop.delivery for drop in visit.open_drops]
    eta = TimeWindow(visit.eta_earliest, visit.eta_latest) if visit.eta_earliest and visit.eta_latest else None
    latest = min(delivery.window_latest for delivery in deliveries)
    earliest = min(max(delivery.window_earliest for delivery in deliveries), latest)
    needs = rules.needs_of(deliveries, is_point=visit.place.kind != Place.Kind.ADDRESS)
    wait = max(delivery.merchant.policy.wait_minutes for delivery in deliveries)
    return Stop(
        visit=visit.pk,
        number=number,
        state=visit.state,
        place=visit.place,
        window=TimeWindow(earliest, latest),
        eta=eta,
        service_seconds=visit.service_seconds,
        drops=tuple(_drop(drop, is_near=is_near) for drop in visit.open_drops),
        needs=needs,
        born_by=rules.born_by(today, needs.minimum_age),
        arrived_at=visit.arrived_at,
        may_give_up_at=visit.arrived_at and visit.arrived_at + timedelta(minutes=wait),
    )


def _call_at_depot(visit: Any, number: int, today: date) -> Stop:
    shift = visit.route.shift
    return Stop(
        visit=visit.pk,
        number=number,
        state=visit.state,
        place=visit.place,
        window=TimeWindow(shift.starts_at, shift.ends_at),
        eta=TimeWindow(visit.eta_earliest, visit.eta_latest) if visit.eta_earliest and visit.eta_latest else None,
        service_seconds=visit.service_seconds,
        drops=(),
        needs=Needs(),
        born_by=today,
        arrived_at=visit.arrived_at,
        is_reload=True,
        to_load=tuple(parcels_of(visit)),
    )


def _at_shop(visit: Any, number: int, today: date) -> Stop:
    """The order that is collected here; its window is when the shop is open, or the shift where nobody said."""
    shift, delivery = visit.route.shift, visit.collects
    scans = frozenset({"scan"}) if rules.asks_scan(delivery) else frozenset()
    return Stop(
        visit=visit.pk,
        number=number,
        state=visit.state,
        place=visit.place,
        window=shop_hours(visit) or TimeWindow(shift.starts_at, shift.ends_at),
        eta=TimeWindow(visit.eta_earliest, visit.eta_latest) if visit.eta_earliest and visit.eta_latest else None,
        service_seconds=visit.service_seconds,
        drops=(),
        needs=Needs(proofs=scans),
        born_by=today,
        arrived_at=visit.arrived_at,
        to_load=tuple((barcode, True) for barcode in delivery.parcels.values_list("barcode", flat=True)),
        collects=f"{delivery.merchant.name} · {delivery.order.reference}",
    )


def _drop(row: Any, *, is_near: bool) -> DropAtStop:
    delivery: Delivery = row.delivery
    try:
        told: Instruction | None = delivery.instruction
    except Instruction.DoesNotExist:
        told = None
    barcodes = tuple(parcel.barcode for parcel in delivery.parcels.all())
    return DropAtStop(
        delivery=delivery.public_id,
        reference=delivery.order.reference,
        merchant=delivery.merchant.name,
        recipient=delivery.recipient.name if is_near else "",
        phone=delivery.recipient.phone if is_near else "",
        parcels=barcodes if is_near else (),
        parcel_count=len(barcodes),
        safe_place=told.safe_place if told and is_near else Instruction.SafePlace.IN_PERSON,
        safe_place_words=told.get_safe_place_display() if told and is_near else "",
        note=told.note if told and is_near else "",
        instruction_version=told.version if told else 0,
        acknowledged=told is None or told.acknowledged_version >= told.version,
        has_access_code=row.has_code,
        asks_code=needs_doorstep_code(delivery),
        tries=row.tries,
        cash=(delivery.cash_due, delivery.cash_currency),
        messages=written_to_driver(delivery.thread.all()) if is_near else (),
    )


def instant(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def as_json(found: Round) -> dict[str, Any]:
    """The body of GET /driver/api/route."""
    shift, route = found.shift, found.route
    depot = shift.vehicle.depot
    return {
        "driver": shift.driver.name,
        "vehicle": {"code": shift.vehicle.code, "kind": shift.vehicle.kind},
        "depot": {"name": depot.name, "lat": depot.latitude, "lon": depot.longitude},
        "day": shift.day.isoformat(),
        "starts_at": instant(shift.starts_at),
        "ends_at": instant(shift.ends_at),
        "departed_at": instant(route.departed_at) if route else None,
        "finished_at": instant(route.finished_at) if route else None,
        "revision": route.revision if route else 0,
        "mark": found.mark,
        "done": found.done,
        "total": found.total,
        "breaks": [
            {"number": one.number, "before": one.before, "earliest": instant(one.earliest), "seconds": one.seconds}
            for one in (breaks_ahead(route) if route else ())
        ],
        "stops": [_stop_json(stop) for stop in found.stops],
        "notices": [
            {"id": line.notice, "kind": line.kind, "delivery": line.delivery, "sentence": line.sentence}
            for line in found.unread
        ],
    }


def _stop_json(stop: Stop) -> dict[str, Any]:
    place = stop.place
    return {
        "visit": stop.visit,
        "number": stop.number,
        "state": stop.state,
        "kind": "depot" if stop.is_reload else place.kind,
        "name": place.name,
        "street": f"{place.street} {place.house_number}".strip(),
        "postcode": place.postcode,
        "town": place.town,
        "lat": place.latitude,
        "lon": place.longitude,
        "window": [instant(stop.window.earliest), instant(stop.window.latest)],
        "eta": [instant(stop.eta.earliest), instant(stop.eta.latest)] if stop.eta else None,
        "service_seconds": stop.service_seconds,
        "collects": stop.collects,
        "to_load": [barcode for barcode, _is_missing in stop.to_load],
        "needs": {
            "proofs": sorted(stop.needs.proofs),
            "least_photos": stop.needs.least_photos,
            "minimum_age": stop.needs.minimum_age,
            "born_by": stop.born_by.isoformat() if stop.needs.minimum_age else None,
            "cash": [{"due": due, "currency": currency} for due, currency in stop.needs.cash],
        },
        "may_give_up_at": instant(stop.may_give_up_at),
        "drops": [
            {
                "delivery": drop.delivery,
                "reference": drop.reference,
                "merchant": drop.merchant,
                "recipient": drop.recipient,
                "phone": drop.phone,
                "parcels": list(drop.parcels),
                "parcel_count": drop.parcel_count,
                "safe_place": drop.safe_place,
                "note": drop.note,
                "instruction_version": drop.instruction_version,
                "acknowledged": drop.acknowledged,
                "has_access_code": drop.has_access_code,
                "asks_code": drop.asks_code,
                "cash_due": drop.cash[0],
                "cash_currency": drop.cash[1],
                "messages": [
                    {"id": one.id, "text": one.text, "read": one.is_read, "answer": one.answer} for one in drop.messages
                ],
            }
            for drop in stop.drops
        ],
    }
