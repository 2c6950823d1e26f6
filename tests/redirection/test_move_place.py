"""The same road for every change of place: verified, asked of the plan, committed with it."""

import threading
from datetime import date

import pytest
from django.db import connection

from apps.core.errors import DoorstepError, InvalidInput, NotAllowed, Refused, Stale
from apps.deliveries import access
from apps.deliveries import selectors as deliveries
from apps.deliveries import services as delivery_services
from apps.deliveries.models import Delivery, Link
from apps.deliveries.services import PlaceInput
from apps.deliveries.states import State
from apps.events.models import Event
from apps.places.services import load_addresses
from apps.redirection import services
from apps.redirection.models import PickupPoint, Reservation
from apps.routing.models import Drop, Visit
from apps.routing.services import change_in_plan
from tests import world
from tests.redirection.points import point, schaan, verified

pytestmark = pytest.mark.django_db
TRIESEN = ("Landstrasse", "40", "9495", "Triesen", "LI", 47.1080, 9.5270)


def planned(name: str = "Alice", offset: float = 0.0) -> Delivery:
    """A delivery that has its place in today's plan."""
    delivery = world.delivery(name, window=world.hours(14, 16), offset=offset)
    change_in_plan(delivery=delivery, place=delivery.place, window=delivery.window, write=lambda: delivery)
    delivery.refresh_from_db()
    return delivery


def to_point(delivery: Delivery, where: PickupPoint, **changed: object) -> Delivery:
    values: dict = {"revision": delivery.revision, "actor": "shopper", "access": verified(delivery), **changed}
    return services.move_to_point(delivery=delivery, point=where, **values)


def refusal(
    error_class: type[DoorstepError], delivery: Delivery, where: PickupPoint, **changed: object
) -> DoorstepError:
    before = list(Delivery.objects.values())
    with pytest.raises(error_class) as error:
        to_point(delivery, where, **changed)
    assert list(Delivery.objects.values()) == before
    return error.value


@pytest.fixture
def alice() -> Delivery:
    world.shift()
    return planned()


def test_another_place_replaces_the_promise_at_once(alice: Delivery) -> None:
    """Until the message is out, the old hour would still be what the page says and what the plan holds hard."""
    told = world.hours(14, 15)
    delivery_services.open_promise(delivery_id=alice.pk, window=told)
    alice.refresh_from_db()
    changed = to_point(alice, point())
    promise = alice.promises.get(closed_at=None)
    assert (promise.earliest, promise.latest) == (changed.window_earliest, changed.window_latest)
    assert promise.earliest != told.earliest


@pytest.mark.covers("A14")
def test_a_point_is_reserved_planned_and_told_in_one_go(alice: Delivery) -> None:
    counter = point()
    home = alice.home
    moved = to_point(alice, counter)
    assert (moved.place.merge_key, moved.place.kind, moved.home) == ("point:post-vaduz", "pickup_point", home)
    assert (moved.state, moved.revision, moved.change_count) == (State.PLANNED, 2, 1)
    assert moved.service_seconds == 90
    assert (moved.window.earliest, moved.window.latest) == (world.MORNING, world.hours(8, 18).latest)
    assert Reservation.objects.get().state == Reservation.State.RESERVED
    visit = Visit.objects.get()
    assert (visit.place, visit.drops.get().delivery) == (moved.place, moved)
    assert visit.planned_arrival is not None
    assert Event.objects.get(kind="delivery.place_changed").payload["point"] == "post-vaduz"
    codes = [entry.code for entry in deliveries.timeline(moved.pk)]
    assert "place_changed_point" in codes


@pytest.mark.covers("A14")
def test_several_parcels_for_one_point_are_one_stop(alice: Delivery) -> None:
    counter = point()
    for delivery in (alice, planned("Bob"), planned("Charlie")):
        to_point(delivery, counter)
    assert Visit.objects.count() == 1
    assert Drop.objects.filter(is_open=True).count() == 3


@pytest.mark.covers("T2")
def test_the_bare_link_a_view_link_and_somebody_elses_proof_may_not(alice: Delivery) -> None:
    counter = point()
    link = access.open_link(delivery_services.token_of(delivery_services.make_link(delivery=alice)))
    view = access.open_link(
        delivery_services.token_of(delivery_services.make_link(delivery=alice, kind=Link.Kind.VIEW))
    )
    bob = verified(world.delivery("Bob"))
    codes = [refusal(NotAllowed, alice, counter, access=who).code for who in (None, link, view, bob)]
    assert codes == ["step_up_required", "step_up_required", "view_only", "step_up_required"]
    with pytest.raises(NotAllowed):
        services.move_to_address(delivery=alice, address="x", revision=1, actor="shopper", access=link)
    with pytest.raises(NotAllowed):
        services.move_home(delivery=alice, revision=1, actor="shopper")


def test_a_stale_form_loses_nothing(alice: Delivery) -> None:
    error = refusal(Stale, alice, point(), revision=7)
    assert error.message == "Someone changed this a moment ago."
    assert not Reservation.objects.exists()


@pytest.mark.covers("A4")
def test_a_full_point_is_refused_with_others_that_have_room(alice: Delivery) -> None:
    full, other = point(capacity=1), schaan()
    services.reserve(delivery=world.delivery("Bob"), point=full)
    error = refusal(Refused, alice, full)
    assert error.code == "full"
    assert [offer.point for offer in error.alternatives] == [other]
    assert error.alternatives[0].as_json()["code"] == "post-schaan"
    assert Visit.objects.get().place == alice.place


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"heaviest_grams": 100}, "too_heavy"),
        ({"opening_hours": "Su 08:00-10:00"}, "closed"),
        ({"is_active": False}, "closed"),
    ],
)
def test_a_point_that_cannot_take_it_is_refused(alice: Delivery, changed: dict, code: str) -> None:
    assert refusal(Refused, alice, point(**changed)).code == code


@pytest.mark.parametrize(
    ("policy", "code"),
    [({"allow_place_change": False}, "policy"), ({"change_limit": 0}, "limit")],
)
def test_the_merchants_policy_binds_the_shopper_and_not_the_agent(alice: Delivery, policy: dict, code: str) -> None:
    type(alice.merchant.policy).objects.update(**policy)
    alice = Delivery.objects.get(pk=alice.pk)
    counter = point()
    assert refusal(Refused, alice, counter).code == code
    assert to_point(alice, counter, actor="agent:1", access=None).place.kind == "pickup_point"


@pytest.mark.parametrize("state", [State.DELIVERED, State.CANCELLED, State.AT_POINT, State.RETURNING])
def test_what_is_over_stays(state: State) -> None:
    delivery = world.delivery("Alice", state=state)
    assert refusal(Refused, delivery, point()).code in ("ended", "too_late")


def test_a_day_can_be_chosen(alice: Delivery) -> None:
    shift = world.shift("van-2", day=date(2026, 3, 11))
    moved = to_point(alice, point(), day=shift.day)
    assert moved.window_earliest.isoformat() == "2026-03-11T06:45:00+00:00"
    assert Visit.objects.get().plan.day == shift.day
    assert refusal(Refused, moved, schaan(), day=date(2026, 3, 20)).code == "closed"


def test_the_way_back_to_the_door_is_the_old_one(alice: Delivery) -> None:
    alice.service_seconds = 300
    alice.save()
    moved = to_point(to_point(alice, point()), schaan())
    assert Reservation.objects.filter(state="reserved").count() == 1
    back = services.move_home(delivery=moved, revision=3, actor="shopper", access=verified(moved))
    assert (back.place, back.window, back.service_seconds) == (alice.home, world.hours(14, 16), 300)
    assert not Reservation.objects.filter(state="reserved").exists()
    assert back.attempts.count() == 3
    with pytest.raises(Refused) as error:
        services.move_home(delivery=back, revision=4, actor="shopper", access=verified(back))
    assert error.value.code == "same"


def test_too_late_for_the_old_window_at_the_door_offers_others(alice: Delivery, now) -> None:
    moved = to_point(alice, point())
    now.set(now.at("16:10"))
    with pytest.raises(Refused) as error:
        services.move_home(delivery=moved, revision=2, actor="shopper", access=verified(moved))
    assert error.value.code == "past"
    for offer in error.value.alternatives:
        assert offer.feasible
    chosen = error.value.alternatives[0].window
    assert services.move_home(
        delivery=moved, revision=2, actor="shopper", access=verified(moved), window=chosen
    ).window == chosen  # fmt: skip


@pytest.mark.covers("R11")
def test_another_address_is_looked_up_and_planned(alice: Delivery) -> None:
    load_addresses([TRIESEN])
    moved = services.move_to_address(
        delivery=alice, address="Landstr. 40, Triesen", revision=1, actor="shopper", access=verified(alice)
    )
    assert str(moved.place) == "Landstrasse 40, Triesen"
    assert (moved.place.latitude, moved.window, moved.home) == (47.1080, world.hours(14, 16), alice.home)
    assert Visit.objects.get().place == moved.place


@pytest.mark.covers("R11")
@pytest.mark.parametrize("address", ["", "Landstrasse 99, Triesen", "Nowhere 1, 1234 Town", "Landstr", "\0"])
def test_an_address_that_is_not_surely_known_is_asked_again(alice: Delivery, address: str) -> None:
    load_addresses([TRIESEN])
    with pytest.raises(InvalidInput) as error:
        services.move_to_address(delivery=alice, address=address, revision=1, actor="shopper", access=verified(alice))
    assert error.value.code == "address_unsure"
    assert isinstance(error.value.details["suggestions"], list)


def test_another_country_is_refused(alice: Delivery) -> None:
    feldkirch = PlaceInput("Bahnhofstrasse", "6800", "Feldkirch", 47.24, 9.6, country="AT")
    with pytest.raises(Refused) as error:
        services.move_to_address(delivery=alice, place=feldkirch, revision=1, actor="shopper", access=verified(alice))
    assert error.value.code == "other_country"


def test_an_address_no_van_reaches_in_time_offers_other_windows(alice: Delivery) -> None:
    with pytest.raises(Refused) as error:
        services.move_to_address(
            delivery=alice,
            place=PlaceInput(*("Landstrasse", "9495", "Triesen", 47.1080, 9.5270)),
            window=world.hours(5, 6),
            revision=1,
            actor="shopper",
            access=verified(alice),
        )
    assert error.value.alternatives
    assert all(offer.feasible for offer in error.value.alternatives)


@pytest.mark.parametrize("hours", [(-24, -22), (14, 38), (96, 98), (14, 24 * 3650)])
def test_a_made_up_window_is_refused(alice: Delivery, hours: tuple[float, float]) -> None:
    triesen = PlaceInput("Landstrasse", "9495", "Triesen", 47.1080, 9.5270)
    with pytest.raises(Refused) as error:
        services.move_to_address(
            delivery=alice,
            place=triesen,
            window=world.hours(*hours),
            revision=1,
            actor="shopper",
            access=verified(alice),
        )
    assert error.value.code in ("horizon", "past")


@pytest.mark.covers("A4")
@pytest.mark.django_db(transaction=True)
def test_a_point_is_never_overbooked() -> None:
    world.shift(start=7)
    world.shift("van-2", start=7)
    counter = point(capacity=2)
    shoppers = [planned("Alice", offset=number / 1000) for number in range(6)]
    passes = {delivery.pk: verified(delivery) for delivery in shoppers}
    outcomes: list[str] = []

    def move(pk: int) -> None:
        try:
            delivery = Delivery.objects.get(pk=pk)
            services.move_to_point(delivery=delivery, point=counter, revision=1, actor="shopper", access=passes[pk])
            outcomes.append("yes")
        except Refused as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=(delivery.pk,)) for delivery in shoppers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 6
    booked = Reservation.objects.filter(point=counter, state="reserved")
    assert outcomes.count("yes") == booked.count() <= 2
    assert set(outcomes) <= {"yes", "full", "plan_busy"}
    going = set(Delivery.objects.filter(place__merge_key="point:post-vaduz").values_list("pk", flat=True))
    assert going == set(booked.values_list("delivery", flat=True))
    assert (
        set(Drop.objects.filter(visit__place__merge_key="point:post-vaduz").values_list("delivery", flat=True)) == going
    )


@pytest.mark.covers("A4")
@pytest.mark.django_db(transaction=True)
def test_the_last_place_goes_to_one_of_many_reservations() -> None:
    counter = point(capacity=3)
    waiting = [world.delivery("Bob", offset=number / 1000) for number in range(10)]
    outcomes: list[str] = []

    def book(delivery: Delivery) -> None:
        try:
            services.reserve(delivery=delivery, point=counter)
            outcomes.append("yes")
        except Refused as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=book, args=(delivery,)) for delivery in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["full"] * 7 + ["yes"] * 3
