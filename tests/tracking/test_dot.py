"""The dot: in the payload when the merchant's rule allows it, absent otherwise, and never ahead of the van."""

from datetime import timedelta
from typing import Any

import pytest

from apps.deliveries.models import Delivery, Place
from apps.deliveries.states import State
from apps.fleet.models import PositionSample
from apps.merchants.models import Policy
from apps.routing.models import Drop, Route, Visit
from apps.tracking.dots import HIDDEN, Fix, Step, dot_documents, dot_of, sights_of
from apps.tracking.selectors import dot_document
from tests import world
from tests.tracking.roads import on_route, put_van

pytestmark = pytest.mark.django_db
ROAD = (47.1500, 9.5150)


def out(count: int) -> list[Delivery]:
    return [world.delivery("Bob", state=State.OUT) for _ in range(count)]


def under_way(count: int) -> list[Delivery]:
    made = out(count)
    on_route([delivery.pk for delivery in made])
    put_van("van-1", *ROAD, at=world.MORNING)
    return made


@pytest.mark.covers("T4")
def test_the_position_is_absent_at_six_stops_and_present_at_five() -> None:
    made = under_way(7)
    assert dot_document(made[6]) == HIDDEN
    seen = dot_document(made[5])
    assert seen["visible"]
    assert (seen["lat"], seen["lon"]) == ROAD


@pytest.mark.covers("T4")
def test_close_in_time_is_close_enough(now: Any) -> None:
    made = under_way(7)
    Policy.objects.update(show_position="stops 0 or minutes 15")
    assert [dot_document(delivery)["visible"] for delivery in made[:4]] == [True, True, False, False]
    now.advance(minutes=15)
    assert dot_document(made[2])["visible"]


@pytest.mark.covers("T5")
@pytest.mark.parametrize("state", [state for state in State if state != State.OUT])
def test_the_van_is_nobodys_business_in_any_other_state(state: State) -> None:
    made = under_way(1)[0]
    Delivery.objects.filter(pk=made.pk).update(state=state)
    assert dot_document(made) == HIDDEN


@pytest.mark.covers("T5")
def test_hidden_at_the_depot_before_departure_and_after_the_last_stop() -> None:
    made = under_way(1)[0]
    depot = world.depot()
    put_van("van-1", depot.latitude, depot.longitude, at=world.MORNING, sequence=2)
    assert dot_document(made) == HIDDEN
    put_van("van-1", *ROAD, at=world.MORNING, sequence=3)
    Route.objects.update(departed_at=None)
    assert dot_document(made) == HIDDEN
    Route.objects.update(departed_at=world.MORNING, finished_at=world.MORNING)
    assert dot_document(made) == HIDDEN


@pytest.mark.covers("T5")
def test_hidden_while_the_van_stands_at_somebody_elses_door() -> None:
    first, mine = under_way(2)
    Visit.objects.filter(drops__delivery=first).update(state=Visit.State.ARRIVED)
    assert dot_document(mine) == HIDDEN
    assert dot_document(first)["visible"]


@pytest.mark.covers("T5")
def test_no_dot_within_eighty_metres_of_a_door_before_here_i_am_and_after_delivered() -> None:
    """Drivers tap late: a dot that rests where no tap has come yet would be a house number."""
    first, mine = under_way(2)
    Place.objects.filter(pk=first.place_id).update(latitude=47.1600, longitude=9.5150)
    put_van("van-1", 47.1605, 9.5150, at=world.MORNING, sequence=2)
    assert dot_document(mine) == HIDDEN
    assert dot_document(first)["visible"], "their own van may come close"
    put_van("van-1", 47.1610, 9.5150, at=world.MORNING, sequence=3)
    assert dot_document(mine)["visible"]
    Visit.objects.filter(drops__delivery=first).update(state=Visit.State.DONE, left_at=world.MORNING)
    Delivery.objects.filter(pk=first.pk).update(state=State.DELIVERED)
    Drop.objects.filter(delivery=first).update(is_open=False)
    put_van("van-1", 47.1605, 9.5150, at=world.MORNING + timedelta(seconds=5), sequence=4)
    assert dot_document(mine) == HIDDEN
    put_van("van-1", 47.1610, 9.5150, at=world.MORNING + timedelta(seconds=9), sequence=5)
    assert dot_document(mine)["visible"]
    # The step from there on is drawn only from where it may be seen.
    near, far = Fix(47.1604, 9.5150, world.MORNING), Fix(47.1610, 9.5150, world.MORNING + timedelta(seconds=9))
    vehicle = world.Vehicle.objects.get(code="van-1").pk
    Visit.objects.filter(drops__delivery=first).update(left_at=world.MORNING - timedelta(minutes=1))
    steps = {vehicle: Step(far, near)}
    assert dot_of(sights_of([mine.pk])[mine.pk], steps, far.at)["path"] == [[47.161, 9.515]]


@pytest.mark.covers("T5")
def test_the_first_step_from_somebody_elses_door_is_not_drawn() -> None:
    first, mine = under_way(2)
    start = world.MORNING - timedelta(seconds=20)
    vehicle = world.Vehicle.objects.get(code="van-1").pk
    step = {vehicle: Step(Fix(*ROAD, at=world.MORNING), Fix(47.1490, 9.5150, at=start))}
    assert len(dot_of(sights_of([mine.pk])[mine.pk], step, world.MORNING)["path"]) >= 2
    Visit.objects.filter(drops__delivery=first).update(state=Visit.State.DONE, left_at=start + timedelta(seconds=5))
    assert dot_of(sights_of([mine.pk])[mine.pk], step, world.MORNING)["path"] == [list(ROAD)]


@pytest.mark.covers("T3")
def test_the_path_ends_at_the_last_position_and_takes_its_real_time(now: Any) -> None:
    made = under_way(1)[0]
    vehicle = world.Vehicle.objects.get(code="van-1")
    PositionSample.objects.create(
        vehicle=vehicle, latitude=47.1490, longitude=9.5150, at=world.MORNING - timedelta(seconds=12)
    )
    seen = dot_document(made)
    assert seen["path"][0] == [47.149, 9.515]
    assert seen["path"][-1] == list(ROAD)
    assert seen["seconds"] == 12
    assert seen["stale_after"] == 60
    now.advance(seconds=45)
    assert dot_document(made)["stale_after"] == 15
    now.advance(seconds=45)
    assert dot_document(made)["stale_after"] == 0


def test_one_document_for_forty_watchers_costs_few_queries(django_assert_max_num_queries: Any) -> None:
    made = under_way(40)
    with django_assert_max_num_queries(7):
        dots = dot_documents([delivery.pk for delivery in made])
    assert sum(dot["visible"] for dot in dots.values()) == 6
