"""Sends a delivery elsewhere: to a point, to another address, back to its door. One road for all three.

Rules, then the plan, then one transaction with the plan's change, the delivery's and the reservation.
"""

from collections.abc import Callable
from datetime import date
from functools import partial
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import InvalidInput, NotAllowed, Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries.access import Access, require_verified
from apps.deliveries.models import Delivery, Place
from apps.deliveries.services import PlaceInput, change_place, door_service_seconds, rotate_links, with_home_key
from apps.places.services import geocode, suggest
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.rules import check_place_change, check_window, misfit, point_service_seconds
from apps.redirection.selectors import days_for, opening_span
from apps.redirection.services.alternatives import other_points, other_windows
from apps.redirection.services.offer_points import as_place
from apps.redirection.services.reserve import release, reserve
from apps.routing.models import Drop
from apps.routing.services import change_in_plan, name_place


def move_to_point(
    *,
    delivery: Delivery,
    point: PickupPoint,
    revision: int,
    actor: str,
    access: Access | None = None,
    day: date | None = None,
    window: TimeWindow | None = None,
) -> Delivery:
    """The delivery on its way to a point, on `day` or the first day the plan allows; room there is reserved with it.

    A shopper must be verified (`access`). Refused carries other points; Stale when `revision` has moved on.
    """
    _check(delivery, revision, actor, access, window)
    reason = misfit(list(delivery.parcels.all()), point)
    if reason or not point.is_active:
        raise Refused(reason or "closed", _("That point cannot take this delivery."), other_points(delivery))
    place, seconds = as_place(point), point_service_seconds(delivery.parcels.count())
    refusal: Refused | None = None
    for wanted in [window] if window else _spans(delivery, point, day):
        try:
            return _in_plan(delivery, place, wanted, revision, actor, seconds, partial(_keep_room, delivery, point))
        except Refused as error:
            refusal = refusal or error
            if error.code == "full":
                refusal = error
                break
    refusal = refusal or Refused("closed", _("That point is closed on the days we could bring it."))
    raise Refused(refusal.code, refusal.message, other_points(delivery, besides=point))


def move_to_address(
    *,
    delivery: Delivery,
    revision: int,
    actor: str,
    access: Access | None = None,
    place: PlaceInput | None = None,
    address: str = "",
    window: TimeWindow | None = None,
) -> Delivery:
    """The delivery on its way to another address, in its window unless another is given.

    `address` is a typed line, looked up in the install's own index; `place` one that was looked up before. InvalidInput
    ("address_unsure") with the nearest spellings when it is not surely known; Refused carries windows that would do.
    All links get new tokens: whoever read an old one at the former address does not learn the new one.
    """
    _check(delivery, revision, actor, access, window)
    where = place or _looked_up(address)
    if where.country != delivery.home.country:
        raise Refused("other_country", _("We can only send it elsewhere within the same country."))
    return _to_door(delivery, where, window or delivery.window, revision, actor, new_links=True)


def move_home(
    *,
    delivery: Delivery,
    revision: int,
    actor: str,
    access: Access | None = None,
    window: TimeWindow | None = None,
) -> Delivery:
    """The delivery to the recipient's door after all, in the window agreed there before unless another is given."""
    _check(delivery, revision, actor, access, window)
    if delivery.place_id == delivery.home_id:
        raise Refused("same", _("It is going to your door already."))
    return _to_door(delivery, delivery.home, window or _window_at_home(delivery), revision, actor)


def direct_to_point(*, delivery: Delivery, point: PickupPoint, actor: str) -> Delivery:
    """Sends a delivery that no plan holds to a point, for imports of what was agreed elsewhere.

    Refused("planned") when a plan holds it: then the plan must be asked.
    """
    if Drop.objects.filter(delivery=delivery, is_open=True).exists():
        raise Refused("planned", _("This delivery is part of a plan."))
    with transaction.atomic():
        changed = change_place(
            delivery=Delivery.objects.get(pk=delivery.pk),
            place=as_place(point),
            window=delivery.window,
            revision=delivery.revision,
            actor=actor,
            service_seconds=point_service_seconds(delivery.parcels.count()),
        )
        _keep_room(delivery, point)
    return changed


def _check(delivery: Delivery, revision: int, actor: str, access: Access | None, window: TimeWindow | None) -> None:
    """Who asks, whether the form is fresh, and what state, policy, the van's nearness and the calendar allow."""
    if actor == "shopper" or access is not None:
        if access is None or access.delivery.pk != delivery.pk:
            raise NotAllowed("step_up_required", _("For this we first send a code to the contact on file."))
        require_verified(access)
    if delivery.revision != revision:
        raise Stale("changed_meanwhile", _("Someone changed this a moment ago."))
    drop = Drop.objects.filter(delivery=delivery, is_open=True, is_hold=False, visit__route__departed_at__isnull=False)
    check_place_change(
        state=delivery.state,
        policy=delivery.merchant.policy,
        change_count=delivery.change_count,
        arrival=drop.values_list("visit__eta_earliest", flat=True).first(),
        now=clock.now(),
        counts=actor == "shopper",
    )
    if window is not None and actor == "shopper":
        check_window(window, ZoneInfo(delivery.merchant.time_zone), days_for(delivery))


def _to_door(
    delivery: Delivery,
    where: PlaceInput | Place,
    window: TimeWindow,
    revision: int,
    actor: str,
    *,
    new_links: bool = False,
) -> Delivery:
    def and_then() -> None:
        release(delivery_id=delivery.pk)
        if new_links:
            rotate_links(delivery_id=delivery.pk, actor=actor)

    if isinstance(where, PlaceInput):
        where = with_home_key(where, delivery.recipient)
    if window.latest <= clock.now():
        raise Refused("past", _("That time has passed. These still fit:"), other_windows(delivery, where))

    try:
        return _in_plan(
            delivery,
            where,
            window,
            revision,
            actor,
            _seconds_at_home(delivery),
            and_then,
        )
    except Refused as error:
        if error.code == "off_the_map":
            raise name_place(error, where) from error
        raise Refused(error.code, error.message, error.alternatives or other_windows(delivery, where)) from error


def _in_plan(
    delivery: Delivery,
    where: PlaceInput | Place,
    window: TimeWindow,
    revision: int,
    actor: str,
    service_seconds: int,
    and_then: Callable[[], object],
) -> Delivery:
    """Asks the plan and commits the change with it; `and_then` runs in the same transaction, after the delivery."""
    # A row of its own: what a change that is undone has read back must not stay in the caller's hands.
    asking = Delivery.objects.select_related("place", "merchant__policy").get(pk=delivery.pk)
    asking.service_seconds = service_seconds

    def write() -> Delivery:
        changed = change_place(
            delivery=asking,
            place=where,
            window=window,
            revision=revision,
            actor=actor,
            service_seconds=service_seconds,
        )
        and_then()
        return changed

    return change_in_plan(delivery=asking, place=where, window=window, write=write, actor=actor)


def _keep_room(delivery: Delivery, point: PickupPoint) -> None:
    """Reserves, and remembers what was agreed for the door if that is where the delivery goes until now."""
    if delivery.place.kind == Place.Kind.ADDRESS:
        reserve(delivery=delivery, point=point, before=delivery.window, service_seconds=delivery.service_seconds)
    else:
        reserve(delivery=delivery, point=point)


def _spans(delivery: Delivery, point: PickupPoint, day: date | None) -> list[TimeWindow]:
    days = days_for(delivery)
    if day is not None:
        days = [one for one in days if one == day]
    return [window for one in days if (window := opening_span(point, one))]


def _looked_up(address: str) -> PlaceInput:
    found = geocode(text=address)
    if found is None or not found.is_sure:
        nearest = [str(one) for one in suggest(address, limit=4)] or ([str(found)] if found else [])
        raise InvalidInput("address_unsure", _("We do not know that address. Check its spelling."), suggestions=nearest)
    return PlaceInput(
        street=found.street,
        house_number=found.house_number,
        postcode=found.postcode,
        town=found.town,
        country=found.country,
        latitude=found.latitude,
        longitude=found.longitude,
    )


def _window_at_home(delivery: Delivery) -> TimeWindow:
    if delivery.place.kind == Place.Kind.ADDRESS:
        return delivery.window
    last = Reservation.objects.filter(delivery=delivery).exclude(home_earliest=None).order_by("-pk").first()
    if last is None or last.home_earliest is None or last.home_latest is None:
        return delivery.window
    return TimeWindow(last.home_earliest, last.home_latest)


def _seconds_at_home(delivery: Delivery) -> int:
    if delivery.place.kind == Place.Kind.ADDRESS:
        return delivery.service_seconds
    last = Reservation.objects.filter(delivery=delivery).exclude(home_service_seconds=None).order_by("-pk").first()
    return (last and last.home_service_seconds) or door_service_seconds(delivery.parcels.count())
