"""At the counter: stored, told, handed out against a code, or sent back when nobody comes."""

import json
import threading
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.core import clock
from apps.core.errors import NotAllowed, Refused
from apps.deliveries import services as deliveries
from apps.deliveries.models import CollectionCode, Delivery, Proof
from apps.deliveries.states import State
from apps.events.models import Event, Reaction
from apps.merchants.models import Membership
from apps.redirection import selectors, services
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.services.store_at_point import collect_until
from tests import world
from tests.redirection.points import point, schaan

pytestmark = pytest.mark.django_db


def stored(counter: PickupPoint, name: str = "Alice") -> Delivery:
    delivery = services.direct_to_point(delivery=world.delivery(name), point=counter, actor="system")
    for state in (State.PLANNED, State.OUT):
        deliveries.move_state(delivery_id=delivery.pk, to=state, actor="system")
    assert services.store_at_point(delivery_ids=[delivery.pk], actor="driver:1") == [delivery.pk]
    delivery.refresh_from_db()
    return delivery


def wrong(counter: PickupPoint, **asked: object) -> str:
    with pytest.raises(NotAllowed) as error:
        services.hand_out(point=counter, **asked)  # type: ignore[arg-type]
    return error.value.message


def test_a_stored_parcel_has_a_code_and_a_deadline_and_is_told_once() -> None:
    counter = point()
    assert deliveries.collection_code_of(world.delivery("Bob").pk) is None
    alice = stored(counter)
    assert services.store_at_point(delivery_ids=[alice.pk], actor="driver:1") == []
    assert alice.state == State.AT_POINT
    assert alice.collect_until.isoformat() == "2026-03-17T17:00:00+00:00"
    code = deliveries.collection_code_of(alice.pk)
    assert code is not None
    assert len(code) == 6
    assert [event.payload for event in Event.objects.filter(kind="redirection.stored")] == [{"point": counter.pk}]
    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM deliveries_collectioncode")
        assert code not in cursor.fetchone()[0]
    rows = [*Event.objects.values("payload"), *Reaction.objects.values("payload", "last_error", "dedupe_key")]
    assert f'"{code}"' not in json.dumps(rows)


def test_what_is_not_out_for_a_point_is_left_alone() -> None:
    at_home, planned = world.delivery("Alice", state=State.OUT), world.delivery("Bob", state=State.PLANNED)
    assert services.store_at_point(delivery_ids=[at_home.pk, planned.pk, 999_999], actor="driver:1") == []
    at_home.refresh_from_db()
    assert at_home.state == State.OUT


def test_a_delivery_addressed_to_a_point_from_the_start_is_kept_there_too() -> None:
    counter = point()
    bob = world.delivery("Bob", state=State.OUT)
    bob.place.merge_key, bob.place.kind = selectors.merge_key_of(counter), "pickup_point"
    bob.place.save()
    assert services.store_at_point(delivery_ids=[bob.pk], actor="driver:1") == [bob.pk]
    assert Reservation.objects.get(delivery=bob).state == Reservation.State.STORED


@pytest.mark.parametrize(
    ("hours", "stored_at", "days", "until"),
    [
        ("Mo-Fr 08:00-18:00", "2026-03-10T11:00", 7, "2026-03-17T18:00"),
        ("Mo-Fr 08:00-18:00", "2026-03-10T11:00", 4, "2026-03-16T18:00"),
        ("Mo-Fr 08:00-12:00,13:30-18:30; Sa 08:00-11:00", "2026-03-10T11:00", 4, "2026-03-14T11:00"),
        ("Mo-Su 08:00-18:00", "2026-03-25T23:30", 7, "2026-04-01T18:00"),
        ("whenever", "2026-03-10T11:00", 7, "2026-03-17T18:00"),
    ],
)
def test_the_deadline_is_closing_time_in_the_points_zone(hours: str, stored_at: str, days: int, until: str) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Vaduz")
    at = datetime.fromisoformat(stored_at).replace(tzinfo=zone)
    found = collect_until(point(opening_hours=hours), at, days)
    assert f"{found.astimezone(zone):%Y-%m-%dT%H:%M}" == until


@pytest.mark.covers("A6")
def test_the_right_code_ends_the_delivery_with_a_proof() -> None:
    counter = point()
    alice = stored(counter)
    code = deliveries.collection_code_of(alice.pk)
    assert code is not None
    (waiting,) = selectors.waiting_at(counter)
    assert (waiting.delivery_id, waiting.is_locked, waiting.merchant) == (alice.pk, False, "Alpenkorb")
    done = services.hand_out(point=counter, delivery_id=alice.pk, code=f" {code[:3]} {code[3:]}")
    assert (done.state, done.ended_at) == (State.COLLECTED, clock.now())
    assert Proof.objects.get().kind == Proof.Kind.HANDOUT
    assert Reservation.objects.get().state == Reservation.State.COLLECTED
    assert selectors.waiting_at(counter) == []
    assert Event.objects.get(kind="redirection.handed_out").actor == f"point:{counter.pk}"
    assert not Reaction.objects.filter(dedupe_key=f"collect:{alice.pk}", state="waiting").exists()
    wrong(counter, delivery_id=alice.pk, code=code)


@pytest.mark.covers("A6")
def test_wrong_codes_and_what_does_not_wait_here_get_the_same_words() -> None:
    counter, elsewhere = point(), schaan()
    alice, bob = stored(counter), stored(elsewhere, "Bob")
    code = deliveries.collection_code_of(alice.pk) or ""
    bobs = deliveries.collection_code_of(bob.pk) or ""
    bad = f"{(int(code) + 1) % 10**6:06d}"
    answers = {
        wrong(counter, delivery_id=alice.pk, code=bad),
        wrong(counter, delivery_id=bob.pk, code=bobs),
        wrong(counter, delivery_id=999_999, code=code),
        wrong(counter, barcode="DS\0", code=code),
        wrong(counter, barcode="x" * 5000, code="\ud800"),
        wrong(elsewhere, delivery_id=alice.pk, code=code),
    }
    assert len(answers) == 1
    barcode = alice.parcels.get().barcode
    assert services.hand_out(point=counter, barcode=f" {barcode} ", code=code).state == State.COLLECTED


@pytest.mark.covers("A6")
def test_five_wrong_codes_lock_it_until_a_new_one_is_made() -> None:
    counter = point()
    alice = stored(counter)
    code = deliveries.collection_code_of(alice.pk) or ""
    for nth in range(1, 6):
        wrong(counter, delivery_id=alice.pk, code=f"{(int(code) + nth) % 10**6:06d}")
    with pytest.raises(Refused) as error:
        services.hand_out(point=counter, delivery_id=alice.pk, code=code)
    assert error.value.code == "code_locked"
    assert selectors.waiting_at(counter)[0].is_locked
    assert deliveries.renew_collection_code(delivery_id=alice.pk)
    fresh = deliveries.collection_code_of(alice.pk) or ""
    assert services.hand_out(point=counter, delivery_id=alice.pk, code=fresh).state == State.COLLECTED


@pytest.mark.covers("A6")
@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_at_the_counter_share_the_five_tries() -> None:
    counter = point()
    alice = stored(counter)
    code = deliveries.collection_code_of(alice.pk) or ""
    guesses = [f"{(int(code) + nth) % 10**6:06d}" for nth in range(1, 16)] + [code] * 3
    outcomes: list[str] = []

    def guess(typed: str) -> None:
        try:
            services.hand_out(point=counter, delivery_id=alice.pk, code=typed)
            outcomes.append("out")
        except (NotAllowed, Refused):
            outcomes.append("no")
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=(typed,)) for typed in guesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(guesses)
    assert outcomes.count("out") <= 1
    assert CollectionCode.objects.get().tries <= 5


@pytest.mark.covers("A8")
def test_what_nobody_collects_goes_back(now, drain) -> None:
    counter = point()
    alice = stored(counter)
    now.set(alice.collect_until)
    now.advance(seconds=-1)
    drain()
    alice.refresh_from_db()
    assert alice.state == State.AT_POINT
    now.advance(seconds=1)
    drain()
    alice.refresh_from_db()
    assert alice.state == State.RETURNING
    assert Reservation.objects.get().state == Reservation.State.RELEASED
    code = deliveries.collection_code_of(alice.pk) or ""
    wrong(counter, delivery_id=alice.pk, code=code)


@pytest.mark.covers("A8")
def test_an_extension_moves_the_deadline_and_its_timer(now, drain) -> None:
    alice = stored(point())
    first = alice.collect_until
    until = services.extend_collection(delivery=alice, days=3, actor="agent:1")
    assert until.isoformat() == "2026-03-20T17:00:00+00:00"
    now.set(first)
    drain()
    alice.refresh_from_db()
    assert (alice.state, alice.collect_until) == (State.AT_POINT, until)
    now.set(until)
    drain()
    alice.refresh_from_db()
    assert alice.state == State.RETURNING
    with pytest.raises(Refused):
        services.extend_collection(delivery=alice, days=3, actor="agent:1")


@pytest.mark.covers("A8")
def test_an_agent_keeps_a_parcel_longer_for_their_own_customer(client: Client) -> None:
    alice = stored(point())
    first = alice.collect_until
    theirs = world.merchant("other", "Other")
    for name, merchant, moved in (("stranger", theirs, False), ("agent", alice.merchant, True)):
        agent = User.objects.create_user(name, is_staff=True)
        Membership.objects.create(user=agent, merchant=merchant, role=Membership.Role.AGENT)
        client.force_login(agent)
        chosen = {"action": "keep_longer", "_selected_action": [Reservation.objects.get().pk]}
        client.post(reverse("admin:redirection_reservation_changelist"), chosen)
        alice.refresh_from_db()
        assert (alice.collect_until > first) is moved


@pytest.mark.covers("A4")
@pytest.mark.parametrize("end", [State.CANCELLED, State.RETURNING])
def test_room_is_given_back_when_the_parcel_does_not_come(end: State, drain) -> None:
    counter = point(capacity=1)
    alice = services.direct_to_point(delivery=world.delivery("Alice"), point=counter, actor="system")
    for state in (State.PLANNED, State.LOADED, end):
        deliveries.move_state(delivery_id=alice.pk, to=state, actor="system")
    drain()
    assert selectors.room_left([counter.pk]) == {counter.pk: 1}


@pytest.mark.covers("A6")
def test_a_redirect_makes_the_old_code_worthless() -> None:
    counter = point()
    alice = stored(counter)
    old = deliveries.collection_code_of(alice.pk) or ""
    for state in (State.RETURNING, State.ARRIVED):
        deliveries.move_state(delivery_id=alice.pk, to=state, actor="system")
    services.release(delivery_id=alice.pk)
    alice.refresh_from_db()
    services.direct_to_point(delivery=alice, point=counter, actor="agent:1")
    assert deliveries.collection_code_of(alice.pk) is None
    deliveries.move_state(delivery_id=alice.pk, to=State.OUT, actor="system")
    services.store_at_point(delivery_ids=[alice.pk], actor="driver:1")
    fresh = deliveries.collection_code_of(alice.pk)
    if fresh != old:
        wrong(counter, delivery_id=alice.pk, code=old)
