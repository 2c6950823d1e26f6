"""What a van leaves without: per delivery, also where several share one stop, and nobody falls out of every plan."""

import pytest

from apps.deliveries.models import Delivery, Place
from apps.deliveries.states import State
from apps.routing import services
from apps.routing.models import Drop, Route, Visit
from apps.routing.selectors import visit_of
from tests import world
from tests.routing.test_load import second_parcel

pytestmark = pytest.mark.django_db


@pytest.fixture
def shared() -> list[Delivery]:
    """Two deliveries for one pick-up point, which are one stop, and one elsewhere; one van."""
    world.shift("van-1")
    made = [world.delivery("Alice"), world.delivery("Alice"), world.delivery("Bob")]
    Place.objects.filter(pk__in=[one.place_id for one in made[:2]]).update(
        kind=Place.Kind.PICKUP_POINT, merge_key="point:1"
    )
    planned = [world.put_in_plan(Delivery.objects.get(pk=one.pk)) for one in made]
    assert Drop.objects.get(delivery=made[0]).visit == Drop.objects.get(delivery=made[1]).visit
    return planned


def scan(delivery: Delivery) -> None:
    services.load(barcode=delivery.parcels.first().barcode, vehicle="van-1", actor="clerk:1")


def state_of(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def test_of_two_that_share_a_stop_only_the_one_aboard_leaves(shared: list[Delivery], now) -> None:
    first, second, _bob = shared
    scan(first)
    services.depart(route=Route.objects.get(), actor="driver:1")
    assert (state_of(first), state_of(second)) == (State.OUT, State.PLANNED)
    left = visit_of(second.pk)
    assert (left.route, left.unserved_reason, left.eta_earliest) == (None, "left_depot", None)
    now.advance(minutes=10)
    assert services.complete(visit=visit_of(first.pk), actor="driver:1") == [first.pk]
    assert visit_of(second.pk) == left
    assert Drop.objects.filter(delivery=second, is_open=True).count() == 1


def test_a_delivery_of_which_one_parcel_is_aboard_goes_with_it(shared: list[Delivery]) -> None:
    first, _second, bob = shared
    second_parcel(bob)
    scan(bob)
    scan(first)
    services.depart(route=Route.objects.get(), actor="driver:1")
    assert state_of(bob) == State.OUT
    assert visit_of(bob.pk).route is not None


def test_what_is_not_on_board_stays_in_a_plan_when_its_stop_is_done(shared: list[Delivery], now) -> None:
    first, second, _bob = shared
    scan(first)
    scan(second)
    services.depart(route=Route.objects.get(), actor="driver:1")
    # As an agent's repair would leave it.
    Delivery.objects.filter(pk=second.pk).update(state=State.ARRIVED)
    visit = visit_of(first.pk)
    now.advance(minutes=10)
    assert services.fail(visit=visit, reason="point_full", actor="driver:1") == [first.pk]
    assert state_of(second) == State.ARRIVED
    assert visit_of(second.pk).route is None


def test_two_calls_about_old_copies_of_stops_keep_the_order_sound(shared: list[Delivery], now) -> None:
    for delivery in shared:
        scan(delivery)
    services.depart(route=Route.objects.get(), actor="driver:1")
    copies = list(Visit.objects.filter(route__isnull=False).order_by("-sequence"))
    now.advance(minutes=10)
    for copy in copies:
        services.arrive(visit=copy, actor="driver:1")
    sequences = list(Visit.objects.filter(route__isnull=False).values_list("sequence", flat=True))
    assert len(set(sequences)) == len(sequences)
