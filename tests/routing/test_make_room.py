"""Where nothing fits any more another stop may make room: its window and promise hold, and its page is told."""

import pytest

from apps.core.errors import Refused
from apps.deliveries.models import Delivery
from apps.deliveries.services import PlaceInput, open_promise
from apps.events.models import Event
from apps.routing import roads, services
from apps.routing.models import Route
from apps.routing.planner.check import violations
from apps.routing.selectors import eta_of, van_of
from apps.routing.snapshot import take
from tests import world
from tests.planner import travel_world

pytestmark = pytest.mark.django_db


def long_stop(name: str, window, hours: float, offset: float = 0.0) -> Delivery:
    made = world.delivery(name, window, offset=offset)
    Delivery.objects.filter(pk=made.pk).update(service_seconds=int(hours * 3600))
    return Delivery.objects.get(pk=made.pk)


@pytest.fixture
def full_morning() -> Delivery:
    """The morning's van is full with somebody who could as well be served in the afternoon."""
    world.shift("van-1", start=8.5, end=13)
    patient = world.put_in_plan(long_stop("Alice", world.hours(8, 18), 3.5))
    world.shift("van-2", start=13, end=18)
    return patient


def test_somebody_with_time_makes_room_and_is_told(full_morning) -> None:
    patient = full_morning
    promise = open_promise(delivery_id=patient.pk, window=world.hours(8, 18))
    before, shown = Delivery.objects.get(pk=patient.pk), eta_of(patient.pk)
    hurried = long_stop("Bob", world.hours(9, 11), 2.5)
    offered = services.offers(delivery=hurried, place=hurried.place, windows=[world.hours(9, 11), world.hours(6, 7)])
    assert [offer.feasible for offer in offered] == [True, False]
    revisions = dict(Route.objects.values_list("pk", "revision"))
    world.put_in_plan(hurried)
    assert van_of(hurried.pk)[1].code == "van-1"
    assert van_of(patient.pk)[1].code == "van-2"
    after = Delivery.objects.get(pk=patient.pk)
    assert (after.window, after.revision) == (before.window, before.revision)
    assert after.page_version > before.page_version
    promise.refresh_from_db()
    assert promise.closed_at is None
    assert eta_of(patient.pk) != shown
    told = Event.objects.filter(kind="routing.eta_changed").latest("pk")
    assert patient.pk in told.payload["deliveries"]
    assert all(Route.objects.get(pk=pk).revision > revision for pk, revision in revisions.items())
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []


def test_somebody_who_was_promised_the_morning_does_not(full_morning) -> None:
    open_promise(delivery_id=full_morning.pk, window=world.hours(8, 12))
    with pytest.raises(Refused):
        world.put_in_plan(long_stop("Bob", world.hours(9, 11), 2.5))
    assert van_of(full_morning.pk)[1].code == "van-1"


@pytest.mark.planner
def test_room_is_made_for_a_place_that_no_matrix_knows(settings, tmp_path) -> None:
    settings.ROADS_DIR, settings.MATRIX_DIR = travel_world.country().parent, tmp_path / "matrices"
    roads.forget()
    world.shift("van-1", start=8.5, end=13)
    patient = world.put_in_plan(long_stop("Alice", world.hours(8, 18), 3.5))
    hurried = long_stop("Bob", world.hours(9, 11), 2.5)
    world.shift("van-2", start=13, end=18)
    services.prepare(depot=world.depot(), day=world.TODAY)
    spot = PlaceInput(street="x", postcode="9490", town="y", latitude=47.1555, longitude=9.5102)
    found = services.propose(delivery=hurried, place=spot, window=world.hours(9, 11))
    assert found.stop.location == -1
    assert found.vans == {str(van_of(patient.pk)[0].shift_id), str(world.Shift.objects.get(vehicle__code="van-2").pk)}
    services.change_in_plan(delivery=hurried, place=spot, window=world.hours(9, 11), write=lambda: hurried)
    assert van_of(patient.pk)[1].code == "van-2"
    roads.forget()
