"""What a page may show of the van: the merchant's rule per element, and the driver's own time."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.core.geo import coarse_point
from apps.deliveries.models import Delivery
from apps.deliveries.states import State
from apps.events.models import Event
from apps.events.services import sweep
from apps.fleet.models import Driver, PositionSample, Shift
from apps.fleet.services import begin_break, end_break
from apps.merchants.models import Policy
from apps.merchants.visibility import check_visibility
from apps.routing.models import Visit
from apps.tracking import state
from apps.tracking.dots import HIDDEN, Fix, Step, dot_of, sights_of
from apps.tracking.handlers import on_break
from apps.tracking.selectors import dot_document, page_document
from tests import world
from tests.tracking.roads import on_route, put_van

pytestmark = pytest.mark.django_db
ROAD = (47.1500, 9.5150)
# Visits stand ten minutes apart, the first ETA begins five minutes from now; all doors are one house in Schaan.
ELEMENTS = ("position", "eta", "stops", "distance")


def under_way(count: int) -> list[Delivery]:
    made = [world.delivery("Bob", state=State.OUT) for _ in range(count)]
    on_route([delivery.pk for delivery in made])
    put_van("van-1", *ROAD, at=world.MORNING)
    return made


def shown(made: Delivery) -> dict[str, bool]:
    """What of the van is in the payloads at all."""
    page, dot = state.build(made.pk, "link"), dot_document(made)
    assert page["van"]["visible"] == dot["visible"]
    return {
        "position": "lat" in dot,
        "eta": page["eta"] is not None,
        "stops": page["stops_away"] is not None,
        "distance": page["distance_metres"] is not None,
    }


@pytest.mark.covers("T4", "G8")
@pytest.mark.parametrize("element", ELEMENTS)
def test_five_stops_show_it_and_six_do_not(element: str) -> None:
    made = under_way(7)
    Policy.objects.update(**{f"show_{name}": "never" for name in ELEMENTS} | {f"show_{element}": "stops 5"})
    assert shown(made[6]) == dict.fromkeys(ELEMENTS, False)
    assert shown(made[5]) == dict.fromkeys(ELEMENTS, False) | {element: True}


@pytest.mark.covers("T4")
@pytest.mark.parametrize("element", ELEMENTS)
def test_thirty_five_minutes_show_it_and_forty_five_do_not(element: str, now: Any) -> None:
    made = under_way(5)
    Policy.objects.update(**{f"show_{name}": "never" for name in ELEMENTS} | {f"show_{element}": "minutes 35"})
    assert shown(made[4]) == dict.fromkeys(ELEMENTS, False)
    assert shown(made[3]) == dict.fromkeys(ELEMENTS, False) | {element: True}
    now.advance(minutes=10)
    assert shown(made[4])[element]


@pytest.mark.covers("T4")
@pytest.mark.parametrize("element", ELEMENTS)
def test_so_many_metres_show_it_and_one_more_does_not(element: str) -> None:
    made = under_way(1)[0]
    latitude, longitude = coarse_point(*made.place.point)
    put_van("van-1", latitude - 0.02, longitude, at=world.MORNING, sequence=2)
    rules = {f"show_{name}": "never" for name in ELEMENTS}
    # 0.02 degrees are 2,224 m as the crow flies, 2,891 m by road.
    Policy.objects.update(**rules | {f"show_{element}": "metres 2880"})
    assert shown(made) == dict.fromkeys(ELEMENTS, False)
    Policy.objects.update(**rules | {f"show_{element}": "metres 2900"})
    assert shown(made) == dict.fromkeys(ELEMENTS, False) | {element: True}


@pytest.mark.covers("T4", "T7")
def test_a_hidden_time_is_not_told_by_the_timeline_either(now: Any) -> None:
    made = under_way(1)[0]
    for minutes in (20, 30):
        to = [(now.instant + timedelta(minutes=minutes + more)).isoformat() for more in (0, 10)]
        Event.objects.create(
            kind="routing.eta_moved", delivery_id=made.pk, payload={"to": to, "reason": "behind"}, at=now.instant
        )
    # Of a time that moved twice in a row, where it is now.
    assert [entry["data"]["to"] for entry in state.build(made.pk, "link")["timeline"]] == [to]
    Policy.objects.update(show_eta="never")
    assert state.build(made.pk, "link")["timeline"] == []


@pytest.mark.covers("T4")
def test_distance_is_counted_along_the_doors_between_and_rounded() -> None:
    far = world.delivery("Charlie", state=State.OUT)
    near = world.delivery("Bob", state=State.OUT)
    on_route([far.pk, near.pk])
    put_van("van-1", *ROAD, at=world.MORNING)
    Policy.objects.update(show_distance="always", show_position="always")
    first, second = (state.build(made.pk, "link")["distance_metres"] for made in (far, near))
    assert first % 100 == 0
    # The second lies nearer to the van, but it goes there by way of Triesen.
    assert second > first + 8_000
    assert dot_document(far)["distance_metres"] == first


@pytest.mark.covers("T2", "T4")
def test_distances_do_not_give_the_door_away() -> None:
    """Told along the way they lead to the middle of a grid cell, and end where it begins: whichever door it is."""
    told = []
    for offset in (0.0, 0.0004):
        made = world.delivery("Bob", state=State.OUT, offset=offset)
        on_route([made.pk], van=f"van-{offset}")
        Policy.objects.update(show_distance="always", show_position="always")
        told.append([])
        for step in range(8):
            spot = (47.1500 + step * 0.0025, 9.5150)
            put_van(f"van-{offset}", *spot, at=world.MORNING + timedelta(seconds=step), sequence=step)
            told[-1].append(dot_document(made)["distance_metres"])
    assert coarse_point(47.1680, 9.5110) == coarse_point(47.1684, 9.5110)
    assert told[0] == told[1]
    assert min(told[0]) == 500


@pytest.mark.covers("T4")
def test_the_road_has_a_rule_of_its_own() -> None:
    made = under_way(3)
    fix = Fix(*ROAD, at=world.MORNING)
    sights = sights_of([one.pk for one in made])
    assert [sights[one.pk].shows("road", fix, world.MORNING) for one in made] == [True, False, False]


@pytest.mark.covers("T4")
@pytest.mark.parametrize("rule", ["always", "never", "stops 0", "stops 5 or minutes 30", "Metres  2000"])
def test_rules_that_say_something(rule: str) -> None:
    check_visibility(rule)


@pytest.mark.covers("T4")
@pytest.mark.parametrize("rule", ["", "stops", "stops -1", "5", "stops 5 and minutes 3", "stops 5 or stops 6", "near"])
def test_rules_that_say_nothing_are_refused_when_they_are_saved(rule: str) -> None:
    world.merchant()
    policy = Policy.objects.get()
    policy.show_eta = rule
    with pytest.raises(ValidationError):
        policy.full_clean()


@pytest.mark.covers("T4")
def test_a_road_past_other_stops_is_refused_when_it_is_saved() -> None:
    """It would lie over other people's doors, so it is never shown; a rule must not promise it."""
    world.merchant()
    policy = Policy.objects.get()
    policy.show_road = "stops 0 or metres 2000"
    policy.full_clean()
    policy.show_road = "stops 2 or metres 2000"
    with pytest.raises(ValidationError, match="stops 0"):
        policy.full_clean()


def hidden_everywhere(made: Delivery) -> bool:
    page = state.build(made.pk, "verified")
    return dot_document(made) == HIDDEN and not page["van"]["visible"] and page["distance_metres"] is None


@pytest.mark.covers("T5", "G8")
def test_a_driver_on_a_break_or_off_shift_is_nobodys_business(now: Any) -> None:
    made = under_way(1)[0]
    Policy.objects.update(show_position="always", show_distance="always")
    assert not hidden_everywhere(made)
    shift = Shift.objects.get()
    assert begin_break(shift_id=shift.pk, actor="driver:1")
    assert hidden_everywhere(made)
    assert end_break(shift_id=shift.pk, actor="driver:1")
    assert not hidden_everywhere(made)
    for trouble in ("sick_at", "broken_down_at"):
        Shift.objects.update(**{trouble: now.instant})
        assert hidden_everywhere(made)
        Shift.objects.update(**{trouble: None})
    Shift.objects.update(ends_at=now.instant - timedelta(minutes=1))
    assert hidden_everywhere(made)
    Shift.objects.update(overtime_seconds=120)
    assert not hidden_everywhere(made)


@pytest.mark.covers("T5")
def test_a_break_nobody_ended_is_over_at_the_next_door(now: Any) -> None:
    first, mine = under_way(2)
    begin_break(shift_id=Shift.objects.get().pk, actor="driver:1")
    now.advance(minutes=20)
    done = {"state": Visit.State.DONE, "arrived_at": now.instant, "left_at": now.instant}
    Visit.objects.filter(drops__delivery=first).update(**done)
    assert not hidden_everywhere(mine)


@pytest.mark.covers("T5")
def test_open_pages_hear_of_a_break_at_once(drain: Any) -> None:
    made = under_way(1)[0]
    assert page_document(made, "link")["van"]["visible"]
    begin_break(shift_id=Shift.objects.get().pk, actor="driver:1")
    drain()
    made.refresh_from_db()
    assert not page_document(made, "link")["van"]["visible"]
    on_break({"shift": 0})


@pytest.mark.covers("T5")
def test_the_distance_says_nothing_while_the_van_stands_at_another_door_or_its_depot() -> None:
    first, mine = under_way(2)
    Policy.objects.update(show_distance="always")
    assert state.build(mine.pk, "link")["distance_metres"]
    Visit.objects.filter(drops__delivery=first).update(state=Visit.State.ARRIVED)
    assert state.build(mine.pk, "link")["distance_metres"] is None
    Visit.objects.filter(drops__delivery=first).update(state=Visit.State.DONE)
    depot = world.depot()
    put_van("van-1", depot.latitude, depot.longitude, at=world.MORNING, sequence=2)
    assert state.build(mine.pk, "link")["distance_metres"] is None


@pytest.mark.covers("T5", "G8")
def test_there_is_no_trail(now: Any) -> None:
    """A dot carries the last leg only, however long the history is."""
    made = under_way(1)[0]
    vehicle = world.Vehicle.objects.get()
    for minutes in range(1, 30):
        at = world.MORNING - timedelta(minutes=minutes)
        PositionSample.objects.create(vehicle=vehicle, latitude=47.15 - minutes / 1_000, longitude=9.5, at=at)
    path = dot_document(made)["path"]
    assert path[0] == [47.149, 9.5]
    assert path[-1] == list(ROAD)
    step = {vehicle.pk: Step(Fix(*ROAD, at=world.MORNING), Fix(47.1, 9.5, at=world.MORNING - timedelta(minutes=3)))}
    assert dot_of(sights_of([made.pk])[made.pk], step, world.MORNING)["path"] == [list(ROAD)]


@pytest.mark.covers("T5")
def test_a_first_name_is_shown_when_its_owner_agreed_and_only_near_the_door() -> None:
    made = under_way(7)
    Driver.objects.update(name="Noah Frick")
    assert state.build(made[0].pk, "verified")["van"]["driver"] is None
    Driver.objects.update(shows_first_name=True)
    assert state.build(made[0].pk, "link")["van"]["driver"] == "Noah"
    assert state.build(made[6].pk, "link")["van"]["driver"] is None
    Delivery.objects.filter(pk=made[0].pk).update(state=State.DELIVERED)
    assert state.build(made[0].pk, "verified")["van"]["driver"] is None


@pytest.mark.covers("T5")
def test_the_night_forgets_where_vans_were(now: Any) -> None:
    from apps.events.nights import wind

    shift = world.shift()
    for days in (1, 6, 8, 40):
        at = now.instant - timedelta(days=days)
        PositionSample.objects.create(vehicle=shift.vehicle, latitude=47.1, longitude=9.5, at=at)
    wind()
    now.advance(hours=24)
    for _round in range(3):
        sweep("fast", limit=100, seconds=5)
    assert PositionSample.objects.count() == 2
