"""A parcel that is already on the road goes to a point instead of the door, on the same van, and is collected there."""

from collections.abc import Callable

import pytest

from apps.core.errors import Refused
from apps.deliveries import services as deliveries
from apps.deliveries.models import Delivery
from apps.deliveries.states import State
from apps.events.models import Event
from apps.redirection import selectors, services
from apps.routing import services as routing
from apps.routing.models import Drop, Route, Visit
from tests import world
from tests.redirection.points import point, verified

pytestmark = pytest.mark.django_db


@pytest.mark.covers("A14", "A4", "A6")
def test_from_the_road_to_the_counter(now, drain: Callable[..., int]) -> None:
    world.shift()
    counter = point(opening_hours="Mo-Fr 07:00-19:00")
    people = [world.delivery(name, window=world.hours(9, 18)) for name in ("Alice", "Bob", "Charlie")]
    for one in people:
        world.put_in_plan(one)
    plan = Visit.objects.first().plan
    routing.publish(plan=plan)
    route = Route.objects.get()
    for one in people:
        routing.load(barcode=one.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    now.set(now.at("08:35"))
    routing.depart(route=route, actor="driver:1")
    last = Drop.objects.filter(is_open=True).order_by("-visit__sequence").first().delivery
    assert last.state == State.OUT

    offers = services.offer_points(delivery=last)
    assert [offer.fits for offer in offers] == [True]
    moved = services.move_to_point(
        delivery=last, point=counter, revision=last.revision, actor="shopper", access=verified(last)
    )
    assert moved.state == State.OUT
    visit = Drop.objects.get(delivery=last, is_open=True).visit
    assert (visit.route, visit.place) == (route, moved.place)
    promised = {one.pk: (one.window_earliest, one.window_latest) for one in people if one != last}
    for other in Delivery.objects.exclude(pk=last.pk):
        assert (other.window_earliest, other.window_latest) == promised[other.pk]

    while ahead := Visit.objects.filter(state=Visit.State.PLANNED).order_by("sequence").first():
        now.advance(minutes=20)
        done = routing.complete(visit=ahead, actor="driver:1")
        services.store_at_point(delivery_ids=done, actor="driver:1")
    moved.refresh_from_db()
    assert moved.state == State.AT_POINT
    assert set(Delivery.objects.exclude(pk=last.pk).values_list("state", flat=True)) == {State.DELIVERED}
    (waiting,) = selectors.waiting_at(counter)
    assert waiting.until == moved.collect_until
    drain()
    services.hand_out(point=counter, delivery_id=last.pk, code=deliveries.collection_code_of(last.pk) or "")
    drain()
    moved.refresh_from_db()
    assert moved.state == State.COLLECTED
    told = Event.objects.filter(delivery_id=last.pk, kind__startswith="redirection.").order_by("pk")
    assert list(told.values_list("kind", flat=True)) == ["redirection.stored", "redirection.handed_out"]


def test_the_delivery_the_van_drives_to_now_cannot_be_redirected(now) -> None:
    world.shift()
    counter = point()
    alice = world.delivery("Alice", window=world.hours(9, 18))
    world.put_in_plan(alice)
    route = Route.objects.get()
    routing.publish(plan=route.plan)
    routing.load(barcode=alice.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    now.set(now.at("08:45"))
    routing.depart(route=route, actor="driver:1")
    alice.refresh_from_db()
    with pytest.raises(Refused) as error:
        services.move_to_point(
            delivery=alice, point=counter, revision=alice.revision, actor="shopper", access=verified(alice)
        )
    assert error.value.code in ("too_late", "cutoff")
    alice.refresh_from_db()
    assert alice.place == alice.home
