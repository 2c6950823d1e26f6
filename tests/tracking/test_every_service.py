"""A day through the product's own services: after each call every open page equals the page fetched anew."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.core.errors import DoorstepError, Refused
from apps.deliveries import services as deliveries
from apps.deliveries.models import CollectionCode, Delivery, Parcel
from apps.deliveries.states import State
from apps.fleet.services import Fix, record_positions
from apps.instructions.services import acknowledge_instruction, save_instruction
from apps.merchants.models import Policy
from apps.redirection.services import extend_collection, hand_out, move_home, move_to_point, store_at_point
from apps.rescheduling.services import cancel_delivery, change_window, hold_window
from apps.routing import services as routing
from apps.routing.models import Route, Visit
from apps.routing.selectors import remaining_visits, van_of
from apps.tracking import state
from apps.tracking.selectors import page_document
from tests import world
from tests.redirection.points import point, verified
from tests.tracking.verify_change import COMMITS, Watchers, verify_change

pytestmark = pytest.mark.django_db(transaction=COMMITS)
Drain = Callable[..., int]


@pytest.fixture(autouse=True)
def steady_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers of the verified tier have no cookie to show."""
    monkeypatch.setattr("apps.tracking.tail._still_verified", lambda box: True)


@pytest.fixture
def three() -> list[Delivery]:
    return world.planned_day(vans=1)


def fresh(made: Delivery) -> Delivery:
    return Delivery.objects.get(pk=made.pk)


def load_all() -> None:
    for parcel in Parcel.objects.filter(delivery__drops__is_open=True):
        van = van_of(parcel.delivery_id)
        if van is not None:
            routing.load(barcode=parcel.barcode, vehicle=van[1].code, actor="clerk:1")


def driving_order() -> list[Visit]:
    return remaining_visits(Route.objects.get().pk)


@pytest.mark.covers("T3")
def test_the_shoppers_own_changes(drain: Drain, three: list[Delivery]) -> None:
    alice, bob, charlie = three
    with verify_change(drain, *three):
        change_window(delivery=alice, window=world.hours(14, 16), revision=fresh(alice).revision, actor="shopper")
    with verify_change(drain, *three):
        save_instruction(
            delivery=fresh(alice), safe_place="garage", note="Left of the house", revision=fresh(alice).revision,
            actor="shopper", verified=True,
        )  # fmt: skip
    with verify_change(drain, *three):
        version = fresh(alice).instruction.version
        acknowledge_instruction(delivery_id=alice.pk, version=version, driver_id=world.Driver.objects.get().pk)
    with verify_change(drain, *three, moves=[]):
        hold_window(delivery=fresh(bob), window=world.hours(14, 16))
    with verify_change(drain, bob, alice, charlie):
        move_to_point(
            delivery=fresh(bob), point=point(), revision=fresh(bob).revision, actor="shopper", access=verified(bob)
        )
    with verify_change(drain, bob, alice, charlie):
        move_home(delivery=fresh(bob), revision=fresh(bob).revision, actor="shopper", access=verified(bob))
    with verify_change(drain, charlie, alice, bob):
        cancel_delivery(
            delivery=fresh(charlie), reason="wish", revision=fresh(charlie).revision, actor="shopper",
            access=verified(charlie),
        )  # fmt: skip


@pytest.mark.covers("T3", "T8")
def test_the_day_of_a_van(drain: Drain, three: list[Delivery], now: Any) -> None:
    plan = Route.objects.get().plan
    with verify_change(drain, *three, moves=three):
        routing.publish(plan=plan, actor="agent:1")
    with verify_change(drain, *three, moves=three):
        load_all()
    with verify_change(drain, *three, moves=three):
        routing.depart(route=Route.objects.get(), actor="driver:1")
    first, second, third = (visit.drops.get().delivery for visit in driving_order())
    assert [state.build(one.pk, "link")["stops_away"] for one in (first, second, third)] == [0, 1, 2]
    now.advance(minutes=12)
    with verify_change(drain, first, second, third, moves=[first, second, third]):
        routing.arrive(visit=driving_order()[0], actor="driver:1")
    now.advance(minutes=3)
    with verify_change(drain, first, second, third, moves=[first, second, third]):
        deliveries.record_proof(delivery=fresh(first), kind="signature", received_by="Alice", taken_at=now.instant)
        routing.complete(visit=driving_order()[0], actor="driver:1")
    now.advance(minutes=20)
    with verify_change(drain, second, third, moves=[]):
        record_positions(
            vehicle=world.Vehicle.objects.get(), fixes=[Fix(at=now.instant, latitude=47.16, longitude=9.512)]
        )
        routing.roll_forward(route_id=Route.objects.get().pk)
    with verify_change(drain, second, third, moves=[second, third]):
        routing.fail(visit=driving_order()[0], reason="consignee_not_home", actor="driver:1")
    assert state.build(second.pk, "link")["failure"]["reason"] == "consignee_not_home"


def test_a_parcel_at_the_counter(drain: Drain) -> None:
    [made] = world.planned_day(("Alice",), vans=1)
    counter = point()
    move_to_point(delivery=made, point=counter, revision=fresh(made).revision, actor="shopper", access=verified(made))
    _agree([made])
    told = {action["code"]: action["reason"] for action in state.build(made.pk, "link")["actions"]}
    assert told["instructions"] == "to_point"
    load_all()
    routing.depart(route=Route.objects.get(), actor="driver:1")
    drain()
    with verify_change(drain, made):
        routing.complete(visit=driving_order()[0], actor="driver:1")
        store_at_point(delivery_ids=[made.pk], actor="driver:1")
    assert state.build(made.pk, "link")["collection"]["code"] is None
    code = CollectionCode.objects.get(delivery=made).code
    assert state.build(made.pk, "verified")["collection"] == {
        "until": fresh(made).collect_until.isoformat(),  # type: ignore[union-attr]
        "code": code,
        "ready": True,
    }
    with verify_change(drain, made):
        extend_collection(delivery=fresh(made), days=2, actor="agent:1")
    with verify_change(drain, made):
        assert deliveries.renew_collection_code(delivery_id=made.pk, actor="agent:1")
    renewed = CollectionCode.objects.get(delivery=made).code
    assert renewed != code
    assert page_document(fresh(made), "verified")["collection"]["code"] == renewed
    code = renewed
    with verify_change(drain, made):
        hand_out(point=counter, code=code, delivery_id=made.pk)
    assert state.build(made.pk, "link")["ended"]


def answers(made: Delivery) -> dict[str, bool]:
    """What the services behind the page's actions say, without doing anything (they are asked for the impossible)."""
    access, revision = verified(made), fresh(made).revision
    counter = world_point()
    asked: dict[str, Callable[[], Any]] = {
        "time": lambda: change_window(
            delivery=fresh(made), window=world.hours(2, 4), revision=revision, actor="shopper"
        ),
        "place": lambda: move_to_point(
            delivery=fresh(made), point=counter, revision=revision, actor="shopper", access=access
        ),
        "instructions": lambda: save_instruction(
            delivery=fresh(made), safe_place="in_person", note="Hello", revision=-1, actor="shopper", verified=True
        ),
        "cancel": lambda: cancel_delivery(
            delivery=fresh(made), reason="wish", revision=revision, actor="shopper", access=access
        ),
    }
    return {code: _is_open(ask) for code, ask in asked.items()}


def world_point() -> Any:
    """A counter that takes nothing: too small, so that a change that may be asked for fails for that reason."""
    from apps.redirection.models import PickupPoint

    return PickupPoint.objects.filter(code="tiny").first() or point("tiny", largest_millimetres=1)


CLOSED = {
    "too_late", "ended", "not_offered", "change_limit", "policy", "limit", "cutoff", "at_point", "to_point", "frozen",
}  # fmt: skip


def _is_open(ask: Callable[[], Any]) -> bool:
    from django.db import transaction

    try:
        with transaction.atomic():
            ask()
            raise _Undo
    except _Undo:
        return True
    except Refused as refused:
        return refused.code not in CLOSED
    except DoorstepError:
        return True


class _Undo(Exception):
    pass


@pytest.mark.covers("I9")
@pytest.mark.parametrize("minutes", [0, 9, 25])
def test_what_the_page_offers_the_services_grant(drain: Drain, now: Any, minutes: int) -> None:
    """An open action is never refused for its time, its state or the shop's policy, and a closed one always is."""
    made = world.planned_day(("Alice", "Bob", "Charlie", "Alice", "Bob", "Charlie"), vans=1)
    _agree(made)
    load_all()
    _agree(made)
    routing.depart(route=Route.objects.get(), actor="driver:1")
    now.advance(minutes=minutes)
    routing.roll_forward(route_id=Route.objects.get().pk)
    _agree(made)
    routing.arrive(visit=driving_order()[0], actor="driver:1")
    _agree(made)
    routing.complete(visit=driving_order()[0], actor="driver:1")
    routing.fail(visit=driving_order()[0], reason="consignee_not_home", actor="driver:1")
    _agree(made)
    Policy.objects.update(allow_time_change=False, allow_place_change=False, allow_cancel=False, change_limit=0)
    _agree(made)


def _agree(made: list[Delivery]) -> None:
    for one in made:
        page = state.build(one.pk, "verified")
        shown = {action["code"]: action["open"] for action in page["actions"]}
        assert shown == answers(one), (page["status"], page["stops_away"], page["actions"])


def test_nothing_is_pushed_twice_for_one_change(drain: Drain, three: list[Delivery]) -> None:
    """Several events tell of one change; the page behind them moves once or twice, not once per event."""
    drain()
    watchers = Watchers(three)
    change_window(delivery=three[0], window=world.hours(14, 16), revision=fresh(three[0]).revision, actor="shopper")
    while drain():
        watchers.receive()
    watchers.receive()
    assert 1 <= watchers.pushes.count((three[0].pk, "link")) <= 2
    assert fresh(three[0]).state in (State.PLANNED, State.CREATED)
