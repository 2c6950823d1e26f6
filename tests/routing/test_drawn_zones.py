"""An area drawn on the map keeps vehicles out: of plans, of answers, of what is offered, and of what stands already."""

import json
from datetime import datetime, time, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.urls import reverse

from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.events.models import Event
from apps.fleet.models import Depot, Vehicle, Zone
from apps.fleet.shapes import check_shape
from apps.routing import services
from apps.routing.models import DayPlan, Visit
from apps.routing.planner.check import violations
from apps.routing.snapshot import take
from tests import world
from tests.routing.test_collections import SHOP, halves, holds, order

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O14")]


def square(around: tuple[float, float], half: float = 0.01) -> dict:
    lat, lon = around
    corners = [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half]]
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}


def spot(name: str) -> tuple[float, float]:
    return world.SPOTS[name][4:]


@pytest.fixture
def operator(client):
    client.force_login(get_user_model().objects.create_superuser("anna", password="x"))
    return client


def draw(operator, shape: object, **more: object) -> str:
    """What the page says: nothing when the zone was kept."""
    url = reverse("admin:fleet_zone_add")
    text = shape if isinstance(shape, str) else json.dumps(shape)
    page = operator.post(url, {"name": "Vaduz", "shape": text, "hours": "", "barred_kinds": ["diesel_van"], **more})
    return "" if page.status_code == 302 else page.content.decode()


def test_a_new_zone_takes_the_diesel_vans_stop_and_gives_it_to_who_may_enter(operator, drain):
    diesel, electric = world.shift("van-1"), world.shift("van-2", kind="electric_van")
    Vehicle.objects.filter(pk=electric.vehicle_id).update(cost_per_start=100_000, cost_per_hour=1)
    inside, outside = world.put_in_plan(world.delivery("Alice")), world.put_in_plan(world.delivery("Charlie"))
    assert set(Visit.objects.values_list("route__shift", flat=True)) == {diesel.pk}
    services.publish(plan=DayPlan.objects.get())
    page = operator.get(reverse("admin:fleet_zone_add")).content.decode()
    assert "data-zone-draw" in page
    assert draw(operator, square(spot("Alice"))) == ""
    drain(planner=True)
    assert Visit.objects.get(drops__delivery=inside, drops__is_open=True).route.shift == electric
    assert Visit.objects.get(drops__delivery=outside, drops__is_open=True).route.shift == diesel
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []
    # A place nobody has driven to yet, a hair inside; and without the electric van there is none.
    services.mark_sick(shift=electric, actor="agent:1")
    late = world.delivery("Alice", offset=0.0099)
    with pytest.raises(Refused) as refused:
        services.propose(delivery=late, place=late.place, window=late.window)
    assert refused.value.code == "zone"
    offers = services.offers(delivery=late, place=late.place, windows=[late.window])
    assert [(offer.feasible, offer.reason) for offer in offers] == [(False, "zone")]
    Zone.objects.all().delete()
    assert services.propose(delivery=late, place=late.place, window=late.window).insertion.vehicle == str(diesel.pk)
    tracks = operator.get(reverse("admin:routing_dayplan_tracks", args=[DayPlan.objects.get().pk])).json()
    assert tracks["zones"] == []


def test_a_limit_counts_grams_and_hours_leave_the_rest_of_the_day_open(operator):
    shift = world.shift("van-1")
    Vehicle.objects.update(grams_co2e_per_kilometre=300)
    assert (
        draw(operator, square(spot("Alice")), barred_kinds=[], most_grams_co2e_per_kilometre=299, hours="06:00-11:00")
        == ""
    )
    early, late = (world.delivery("Alice", window) for window in (world.hours(9, 12), world.hours(11, 12)))
    with pytest.raises(Refused) as refused:
        services.propose(delivery=early, place=early.place, window=early.window)
    assert refused.value.code == "zone"
    assert services.propose(delivery=late, place=late.place, window=late.window).insertion.vehicle == str(shift.pk)
    both = services.offers(delivery=early, place=early.place, windows=[world.hours(9, 10), world.hours(13, 14)])
    assert [(offer.feasible, offer.reason) for offer in both] == [(False, "zone"), (True, "")]
    Vehicle.objects.update(grams_co2e_per_kilometre=299)
    assert services.propose(delivery=early, place=early.place, window=early.window)


def test_what_is_on_board_is_still_brought(operator, drain):
    shift = world.shift("van-1")
    made = world.put_in_plan(world.delivery("Alice"))
    services.publish(plan=DayPlan.objects.get())
    services.load(vehicle="van-1", barcode=made.parcels.get().barcode, actor="clerk:1")
    assert draw(operator, square(spot("Alice"))) == ""
    drain(planner=True)
    assert Visit.objects.get(drops__delivery=made, drops__is_open=True).route.shift == shift
    snapshot = take(depot=world.depot(), day=world.TODAY)
    assert violations(snapshot.problem, snapshot.standing) == []


BOW_TIE = {"type": "Polygon", "coordinates": [[[9.5, 47.1], [9.6, 47.2], [9.6, 47.1], [9.5, 47.2], [9.5, 47.1]]]}
SPIKE = {"type": "Polygon", "coordinates": [[[9.5, 47.1], [9.6, 47.1], [9.55, 47.1], [9.5, 47.2], [9.5, 47.1]]]}


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ({"type": "Point", "coordinates": [9.5, 47.1]}, "no_polygon"),
        ("polygon", "no_polygon"),
        ({"type": "Polygon", "coordinates": [[[0, 0]] * 1_000_000]}, "too_many_corners"),
        ({"type": "Polygon", "coordinates": [[[9.5, 47.1], [9.6, 47.1], [9.6, 47.2]]]}, "not_closed"),
        ({"type": "Polygon", "coordinates": [[[9.5, 147.1], [9.6, 47.1], [9.6, 47.2], [9.5, 147.1]]]}, "no_place"),
        ({"type": "Polygon", "coordinates": [[["a", 1], [9.6, 47.1], [9.6, 47.2], ["a", 1]]]}, "no_place"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [40, 0], [40, 40], [0, 0]]]}, "too_wide"),
        (
            {"type": "Polygon", "coordinates": [[[9.5, 47.1], [9.500001, 47.1], [9.5, 47.100001], [9.5, 47.1]]]},
            "no_ground",
        ),
        ({"type": "Polygon", "coordinates": [[[10**400, 1], [1, 2], [2, 2], [10**400, 1]]]}, "no_place"),
        (BOW_TIE, "crosses_itself"),
        (SPIKE, "crosses_itself"),
    ],
)
def test_what_is_no_zone_is_named(shape, code):
    with pytest.raises(ValidationError) as refused:
        check_shape(shape)
    assert refused.value.code == code


def test_a_slip_in_the_form_is_said_and_nothing_is_kept(operator):
    assert "cross or touch" in draw(operator, BOW_TIE)
    assert "too long for a zone" in draw(operator, "[" * 100_000)
    assert "one GeoJSON polygon" in draw(operator, "[" * 50_000)
    for digits in (400, 5000):
        number = "1" + "0" * digits
        assert draw(operator, f'{{"type":"Polygon","coordinates":[[[{number},1],[1,2],[2,2],[{number},1]]]}}')
    assert "who may not enter" in draw(operator, square(spot("Alice")), barred_kinds=[])
    assert "not understood" in draw(operator, square(spot("Alice")), hours="whenever")
    assert not Zone.objects.exists()


def test_zones_deleted_from_the_list_let_their_stops_find_a_van(operator, drain):
    world.shift("van-1")
    made = world.put_in_plan(world.delivery("Alice"))
    assert draw(operator, square(spot("Alice"))) == ""
    drain(planner=True)
    assert Visit.objects.get(drops__delivery=made).route is None
    chosen = {"action": "delete_selected", "_selected_action": [Zone.objects.get().pk], "post": "yes"}
    operator.post(reverse("admin:fleet_zone_changelist"), chosen)
    assert not Zone.objects.exists()
    drain(planner=True)
    assert Visit.objects.get(drops__delivery=made).route is not None


@pytest.mark.covers("O19")
def test_a_shop_that_the_van_may_not_enter_takes_both_halves_off_it(drain):
    world.planned_day(("Alice",), vans=1)
    made = order()
    services.publish(plan=DayPlan.objects.get())
    Zone.objects.create(
        name="Market", shape=square((SHOP.latitude, SHOP.longitude), 0.002), barred_kinds=["diesel_van"]
    )
    assert services.keep_out() == 2
    assert {half.route for half in halves(made)} == {None}
    assert holds()
    assert Event.objects.filter(kind="routing.stop_unserved", delivery_id=made.pk).count() == 1


@pytest.mark.parametrize("what", ["zone", "road"])
def test_room_that_is_only_held_inside_is_given_up(what):
    world.planned_day(("Alice",), vans=1)
    made = world.delivery("Bob")
    services.hold(delivery=made, place=made.place, window=made.window, lasts=timedelta(minutes=9))
    if what == "zone":
        Zone.objects.create(name="Lane", shape=square(spot("Bob"), 0.0005), barred_kinds=["diesel_van"])
        assert services.keep_out() == 0
    else:
        day = world.hours(0, 20)
        services.close_road(
            depot=world.depot(), name="Fire", point=spot("Bob"), radius_metres=150, begins=day.earliest, ends=day.latest
        )
    assert not Visit.objects.filter(hold_until__isnull=False).exists()
    assert holds()


def test_what_is_loaded_while_the_zone_is_looked_at_stays_on_board(monkeypatch):
    shift = world.shift("van-1")
    made, other = world.put_in_plan(world.delivery("Alice")), world.put_in_plan(world.delivery("Charlie"))
    services.publish(plan=DayPlan.objects.get())
    for name in ("Alice", "Charlie"):
        Zone.objects.create(name=name, shape=square(spot(name), 0.002), barred_kinds=["diesel_van"])
    looks = []

    def while_looking(**which):
        found = take(**which)
        looks.append(found)
        if len(looks) == 2:
            services.load(vehicle="van-1", barcode=made.parcels.get().barcode, actor="clerk:1")
        return found

    monkeypatch.setattr(import_module("apps.routing.services.keep_out"), "take", while_looking)
    assert services.keep_out() == 1
    assert Visit.objects.get(drops__delivery=made).route.shift == shift
    assert Visit.objects.get(drops__delivery=other).route is None
    assert holds()


def test_today_is_the_depots_day(now):
    """Seven in the evening in New York is tomorrow already by UTC."""
    world.depot()
    Depot.objects.update(time_zone="America/New_York")
    world.shift("van-1")
    midnight = datetime.combine(world.TODAY, time(), ZoneInfo("America/New_York"))
    made = world.put_in_plan(world.delivery("Alice", TimeWindow(midnight, midnight + timedelta(hours=23))))
    Zone.objects.create(name="Lane", shape=square(spot("Alice")), barred_kinds=["diesel_van"])
    now.advance(seconds=int((midnight + timedelta(hours=21) - now.instant).total_seconds()))
    assert now.instant.date() > world.TODAY
    assert services.keep_out() == 1
    assert Visit.objects.get(drops__delivery=made).route is None
