"""The plan on real roads: exact, a place nobody knew, a place off the map, and the day's files."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.errors import Refused
from apps.deliveries.services import PlaceInput
from apps.routing import roads, services
from apps.routing.checks import check_road_data
from apps.routing.models import DayPlan, Visit
from apps.routing.planner.check import violations
from apps.routing.planner.travel import Point, RoadDataError
from apps.routing.planner.travel_matrix import MatrixFile
from apps.routing.services.change_plan import propose
from apps.routing.snapshot import take
from apps.routing.stops import point_of
from tests import world
from tests.planner import travel_world

pytestmark = [pytest.mark.django_db, pytest.mark.planner]


@pytest.fixture
def on_roads(settings, tmp_path):
    settings.ROADS_DIR, settings.MATRIX_DIR = travel_world.country().parent, tmp_path / "matrices"
    roads.forget()
    yield tmp_path / "matrices" / "schaan" / world.TODAY.isoformat()
    roads.forget()


def somewhere(latitude: float, longitude: float) -> PlaceInput:
    return PlaceInput(street="x", postcode="9490", town="y", latitude=latitude, longitude=longitude)


def test_the_day_is_planned_on_roads_and_its_files_know_its_places(on_roads):
    world.shift("van-1")
    for name in ("Alice", "Bob", "Charlie"):
        world.delivery(name)
    plan = services.build_day(depot=world.depot(), day=world.TODAY)
    assert plan.travel_source == "roads"
    file = MatrixFile.open(on_roads, "car")
    assert len(file.points) == 4
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert snapshot.problem.exact
    assert violations(snapshot.problem, snapshot.standing) == []


def test_a_new_place_is_answered_as_if_everything_were_known(on_roads):
    deliveries = world.planned_day(("Alice", "Bob", "Charlie") * 3, vans=2)
    place = somewhere(47.1555, 9.5102)
    bounded = propose(delivery=deliveries[0], place=place, window=world.hours(8, 18))
    assert bounded.stop.location == -1
    services.prepare(depot=world.depot(), day=world.TODAY, places=[(place.latitude, place.longitude)])
    full = propose(delivery=deliveries[0], place=place, window=world.hours(8, 18))
    assert full.stop.location >= 0
    assert bounded.insertion == full.insertion
    route = full.insertion.vehicle
    assert bounded.timetable.tables[route].times == full.timetable.tables[route].times


def test_what_stands_against_a_new_place_is_told_as_if_everything_were_known(on_roads):
    world.shift("van-1", start=9.98)
    world.shift("van-2", start=9.98)
    world.put_in_plan(world.delivery("Alice", world.hours(10, 18)))
    new, early = world.delivery("Bob", offset=-0.0125), world.hours(8, 10)
    assert take(depot=world.depot(), day=world.TODAY).ground.location(point_of(new.place)) is None
    told = services.obstacles(delivery=new, windows=[early])[early]
    assert len(told) == 2
    assert all("too late" in sentence for sentence in told)
    services.prepare(depot=world.depot(), day=world.TODAY, places=[(new.place.latitude, new.place.longitude)])
    assert services.obstacles(delivery=new, windows=[early])[early] == told


@pytest.mark.parametrize("where", [(48.8566, 2.3522), (9.5215, 47.1410), (47.1000, 9.6200)])
def test_a_place_no_road_comes_near_is_refused_by_name(on_roads, where):
    alice, *_ = world.planned_day()
    for ask in (
        lambda: propose(delivery=alice, place=somewhere(*where), window=world.hours(10, 12)),
        lambda: services.offers(delivery=alice, place=somewhere(*where), windows=[world.hours(10, 12)]),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == "off_the_map"


def test_one_bad_address_does_not_cost_the_day(on_roads):
    world.shift("van-1")
    good, bad = world.delivery("Alice"), world.delivery("Bob", offset=1.0)
    services.build_day(depot=world.depot(), day=world.TODAY)
    assert Visit.objects.get(drops__delivery=good).route is not None
    left = Visit.objects.get(drops__delivery=bad)
    assert (left.route, left.unserved_reason) == (None, "unreachable")


def test_a_damaged_matrix_file_is_named_with_the_command_that_rebuilds_it(on_roads):
    world.planned_day()
    services.prepare(depot=world.depot(), day=world.TODAY)
    file = on_roads / "car.matrix"
    content = bytearray(file.read_bytes())
    content[-8:] = b"\xff" * 8
    file.unlink()
    file.write_bytes(content)
    roads.forget()
    with pytest.raises(RoadDataError) as damaged:
        take(depot=world.depot(), day=world.TODAY)
    assert "prepare_matrices" in str(damaged.value)
    assert str(file) in str(damaged.value)
    said = [error.msg for error in check_road_data() if error.id == "routing.E003"]
    assert said == [str(damaged.value)]


def test_a_first_look_at_a_day_makes_no_matrix_file_and_has_the_planner_make_it(on_roads, drain):
    alice, *_ = world.planned_day(vans=2)
    services.offers(delivery=alice, place=alice.place, windows=[world.hours(10, 12)])
    assert not on_roads.exists()
    before = propose(delivery=alice, place=alice.place, window=world.hours(10, 12)).insertion
    drain(planner=True)
    assert len(MatrixFile.open(on_roads, "car").points) >= 4
    roads.forget()
    assert propose(delivery=alice, place=alice.place, window=world.hours(10, 12)).insertion == before


def test_without_road_data_the_plan_admits_to_the_straight_line():
    world.planned_day()
    assert DayPlan.objects.get().travel_source == "straight_line"
    assert not take(depot=world.depot(), day=world.TODAY).problem.exact


def test_a_known_place_costs_no_road_query(on_roads):
    world.planned_day()
    ground = roads.ground(depot_code="schaan", day=world.TODAY, points=[Point(47.141, 9.5215)], profiles=["car"])
    again = roads.ground(depot_code="schaan", day=world.TODAY, points=[Point(47.141, 9.5215)], profiles=["car"])
    assert again is ground


@pytest.mark.parametrize("stops", [6, 24])
def test_an_answer_takes_as_many_queries_for_a_long_day_as_for_a_short_one(stops):
    deliveries = world.planned_day(("Alice", "Bob") * (stops // 2), vans=2)
    tomorrow = world.TODAY + timedelta(days=1)
    world.shift("van-1", tomorrow)
    with CaptureQueriesContext(connection) as asked:
        propose(delivery=deliveries[0], place=deliveries[0].place, window=world.hours(14, 16, tomorrow))
    assert len(asked) <= 19
    with CaptureQueriesContext(connection) as changed:
        services.change_in_plan(
            delivery=deliveries[0],
            place=deliveries[0].place,
            window=world.hours(14, 16),
            write=lambda: deliveries[0],
        )
    assert len(changed) <= 45
