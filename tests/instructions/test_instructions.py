"""What a shopper tells the driver: who may, when, and who gets to read it."""

import json

import pytest
from django.db import connection

from apps.core import clock
from apps.core.errors import DoorstepError, InvalidInput, NotAllowed, NotFound, Refused, Stale
from apps.deliveries import services as deliveries
from apps.deliveries.models import AccessCode, Delivery
from apps.deliveries.states import State
from apps.events.models import Event, Reaction
from apps.instructions import services
from apps.instructions.models import Instruction
from apps.routing.models import DayPlan, Drop, Route, Visit
from tests import world

pytestmark = pytest.mark.django_db


def save(delivery: Delivery, note: str = "Ring twice", safe_place: str = "in_person", **changed: object) -> Instruction:
    delivery.refresh_from_db()
    values: dict = {"revision": delivery.revision, "actor": "shopper", "verified": False, **changed}
    return services.save_instruction(delivery=delivery, safe_place=safe_place, note=note, **values)


def refusal(error_class: type[DoorstepError], delivery: Delivery, *args: str, **changed: object) -> str:
    with pytest.raises(error_class) as error:
        save(delivery, *args, **changed)
    return error.value.code


def on_the_road(delivery: Delivery, code: str = "van-1") -> Visit:
    """The delivery as the first stop of a van that has left."""
    shift = world.shift(code)
    plan = DayPlan.objects.get_or_create(depot=world.depot(), day=world.TODAY)[0]
    route = Route.objects.create(plan=plan, shift=shift, departed_at=clock.now())
    visit = Visit.objects.create(plan=plan, route=route, sequence=1, place=delivery.place, service_seconds=120)
    Drop.objects.create(visit=visit, delivery=delivery)
    Delivery.objects.filter(pk=delivery.pk).update(state=State.OUT)
    delivery.refresh_from_db()
    return visit


@pytest.mark.covers("I1")
def test_a_plain_note_needs_only_the_link_and_a_safe_place_more() -> None:
    alice = world.delivery("Alice")
    assert save(alice).note == "Ring twice"
    assert refusal(NotAllowed, alice, "Ring twice", "porch") == "step_up_required"
    assert save(alice, "Ring twice", "porch", verified=True).safe_place == "porch"
    # What was verified once need not be verified again to be kept.
    assert save(alice, "Ring three times", "porch").note == "Ring three times"
    assert save(alice, "Ring three times", "in_person").safe_place == "in_person"


@pytest.mark.covers("I2")
def test_a_code_in_a_note_is_moved_and_encrypted() -> None:
    alice = world.delivery("Alice")
    saved = save(alice, "Door code: 4711#, 2nd floor")
    assert saved.note == "Door code: •••, 2nd floor"
    assert AccessCode.objects.get(delivery=alice).code == "4711#"
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM deliveries_accesscode")
        assert "4711" not in cursor.fetchone()[0]
    rows = json.dumps([*Event.objects.values("payload"), *Reaction.objects.values("payload")])
    assert "4711" not in rows
    assert "floor" not in rows


@pytest.mark.covers("I2")
def test_the_code_field_and_replacing_a_code_need_a_step_up() -> None:
    alice = world.delivery("Alice")
    assert refusal(NotAllowed, alice, access_code="4711") == "step_up_required"
    save(alice, "code 1234#")
    assert refusal(NotAllowed, alice, "code 9999#") == "step_up_required"
    assert refusal(NotAllowed, alice, "Ring", forget_code=True) == "step_up_required"
    assert AccessCode.objects.get().code == "1234#"
    save(alice, "Ring", access_code="5678", verified=True)
    assert AccessCode.objects.get().code == "5678"
    save(alice, "Ring again")
    assert AccessCode.objects.get().code == "5678"
    save(alice, "Ring", forget_code=True, verified=True)
    assert not AccessCode.objects.exists()


@pytest.mark.covers("I3")
def test_a_changed_instruction_needs_acknowledging_again() -> None:
    alice = world.delivery("Alice")
    first = save(alice)
    assert services.acknowledge_instruction(delivery_id=alice.pk, version=first.version, driver_id=7)
    assert services.acknowledge_instruction(delivery_id=alice.pk, version=first.version, driver_id=7)
    assert Event.objects.filter(kind="instructions.acknowledged", actor="driver:7").count() == 1
    unchanged = save(alice)
    assert unchanged.version == first.version
    second = save(alice, "Ring three times")
    assert second.version > first.version
    assert second.acknowledged_version < second.version
    assert not services.acknowledge_instruction(delivery_id=alice.pk, version=first.version, driver_id=7)


def test_a_stale_form_loses_nothing() -> None:
    alice = world.delivery("Alice")
    save(alice, "First")
    assert refusal(Stale, alice, "Second", revision=1) == "changed_meanwhile"
    assert Instruction.objects.get().note == "First"


@pytest.mark.parametrize(
    ("field", "value", "note", "safe_place", "code"),
    [
        ("allow_instructions", False, "Ring", "in_person", "policy"),
        ("allow_safe_place", False, "Ring", "garage", "policy"),
    ],
)
def test_the_merchant_decides_what_is_offered(field: str, value: bool, note: str, safe_place: str, code: str) -> None:
    alice = world.delivery("Alice")
    setattr(alice.merchant.policy, field, value)
    alice.merchant.policy.save()
    alice = Delivery.objects.get(pk=alice.pk)
    assert refusal(Refused, alice, note, safe_place, verified=True) == code


@pytest.mark.covers("I9")
def test_too_late_is_said_in_words() -> None:
    assert refusal(Refused, world.delivery("Bob", state=State.DELIVERED)) == "too_late"
    alice = world.delivery("Alice")
    visit = on_the_road(alice)
    assert save(alice, "Still time")
    visit.state = Visit.State.ARRIVED
    visit.save()
    assert refusal(Refused, alice, "Too late") == "too_late"


def test_nonsense_is_refused() -> None:
    alice = world.delivery("Alice")
    assert refusal(InvalidInput, alice, "x" * 301) == "note_too_long"
    assert refusal(InvalidInput, alice, "x" * 100_000) == "note_too_long"
    assert refusal(InvalidInput, alice, "x", "roof") == "safe_place_unknown"
    assert refusal(InvalidInput, alice, "x", access_code="1" * 41, verified=True) == "access_code_not_understood"
    hostile = "{{ 7*7 }} <script>alert(1)</script> %s {0.__class__}"
    assert save(alice, hostile).note == hostile


@pytest.mark.covers("I2")
def test_only_the_driver_on_the_way_sees_the_code_and_every_look_is_on_record() -> None:
    alice = world.delivery("Alice")
    deliveries.save_access_code(delivery_id=alice.pk, code="4711#")
    driver = world.shift("van-2").driver
    with pytest.raises(NotAllowed):
        services.reveal_access_code(delivery=alice, driver_id=driver.pk)
    visit = on_the_road(alice)
    assert visit.route is not None
    ours = visit.route.shift.driver
    with pytest.raises(NotAllowed):
        services.reveal_access_code(delivery=alice, driver_id=driver.pk)
    earlier = Visit.objects.create(
        plan=visit.plan, route=visit.route, sequence=0, place=world.place("Bob"), service_seconds=60
    )
    with pytest.raises(NotAllowed):
        services.reveal_access_code(delivery=alice, driver_id=ours.pk)
    earlier.delete()
    assert services.reveal_access_code(delivery=alice, driver_id=ours.pk) == "4711#"
    services.reveal_access_code(delivery=alice, driver_id=ours.pk)
    looks = Event.objects.filter(kind="instructions.code_revealed")
    assert [(look.actor, look.payload) for look in looks] == [(f"driver:{ours.pk}", {})] * 2
    deliveries.drop_codes(delivery_id=alice.pk)
    with pytest.raises(NotFound):
        services.reveal_access_code(delivery=alice, driver_id=ours.pk)


def test_a_note_for_one_door_does_not_follow_to_another(drain) -> None:
    alice = world.delivery("Alice")
    save(alice, "Ring twice, code 1234#")
    alice.refresh_from_db()
    elsewhere = deliveries.PlaceInput("Landstrasse", "9495", "Triesen", 47.108, 9.527, house_number="40")
    deliveries.change_place(
        delivery=alice, place=elsewhere, window=alice.window, revision=alice.revision, actor="shopper"
    )
    written_after = save(alice, "At the new door")
    drain()
    assert Instruction.objects.get() == written_after
    alice.refresh_from_db()
    deliveries.change_place(
        delivery=alice, place=elsewhere, window=alice.window, revision=alice.revision, actor="shopper"
    )
    drain()
    assert not Instruction.objects.exists()
    again = save(alice, "Third")
    assert again.version > written_after.version


def test_there_are_no_instructions_for_a_pick_up_point() -> None:
    alice = world.delivery("Alice")
    alice.place.kind = "pickup_point"
    alice.place.save()
    assert refusal(Refused, alice) == "to_point"
