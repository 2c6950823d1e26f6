"""A micro depot and the depot that feeds it are one plan: whose goods go with whom, and what the clerks see."""

from datetime import time

import pytest
from django.core.exceptions import ValidationError

from apps.core import clock
from apps.core.errors import Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput
from apps.deliveries.models import Delivery, Order
from apps.drivers.loading import vans_today
from apps.fleet.models import Depot, Vehicle
from apps.rescheduling.services import change_window, create_delivery
from apps.routing import services
from apps.routing.models import DayPlan, Drop, Route, Visit
from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.problem import Problem
from apps.routing.planner.solution import Solution
from apps.routing.selectors import van_of
from apps.routing.services.bring_back import bring_back
from apps.routing.services.change_plan import stop_for
from apps.routing.snapshot import take
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O2")]


@pytest.fixture
def micro() -> Depot:
    """In the middle of Vaduz, fed from Schaan, with a bicycle for Vaduz; the van of Schaan drives everywhere."""
    made = Depot(
        code="vaduz",
        kind=Depot.Kind.MICRO,
        parent=world.depot(),
        name="Vaduz",
        street="Städtle",
        town="Vaduz",
        latitude=47.1410,
        longitude=9.5216,
        postcodes="9490",
    )
    made.full_clean()
    made.save()
    bike = world.shift("velo-9", kind="cargo_bike").vehicle
    Vehicle.objects.filter(pk=bike.pk).update(depot=made, postcodes="9490")
    world.shift("van-1")
    return made


def order(reference: str, window: TimeWindow | None = None) -> Delivery:
    """To a house in Vaduz, another one each time."""
    number = 14 + 2 * Order.objects.count()
    return create_delivery(
        merchant=world.merchant(),
        reference=reference,
        recipient=ContactInput("Dora Depot", "+4237910000"),
        buyer=None,
        place=PlaceInput("Landstrasse", "9490", "Vaduz", 47.14 + number / 10_000, 9.5216, house_number=str(number)),
        window=window or world.hours(10, 14),
        parcels=[ParcelInput(500, 200, 100, 50)],
        actor="merchant:1",
    )


def van(delivery: Delivery) -> str:
    found = van_of(delivery.pk)
    return found[1].code if found is not None else ""


def holds() -> bool:
    snapshot = take(depot=world.depot(), day=world.TODAY)
    return violations(snapshot.problem, snapshot.standing) == []


def test_one_plan_sends_each_order_from_where_it_costs_less(micro: Depot) -> None:
    near = order("D-1")
    far = world.put_in_plan(world.delivery("Bob"))
    assert (van(near), van(far)) == ("velo-9", "van-1")
    assert list(DayPlan.objects.values_list("depot__code", flat=True)) == ["schaan"]
    Vehicle.objects.filter(depot=micro).update(cost_per_stop=9_000)
    assert van(order("D-2")) == "van-1"
    assert holds()


def test_a_day_that_is_built_moves_goods_with_stock_at_both_to_the_cheaper_van(micro: Depot) -> None:
    Vehicle.objects.filter(depot=micro).update(cost_per_stop=9_000)
    dear = order("D-1")
    assert van(dear) == "van-1"
    Vehicle.objects.filter(depot=micro).update(cost_per_stop=0)
    Vehicle.objects.exclude(depot=micro).update(cost_per_stop=9_000)
    services.build_day(depot=world.depot(), day=world.TODAY, seconds=0.5)
    assert van(dear) == "velo-9"
    assert holds()


def test_stock_zone_and_cut_off_say_which_vans_an_order_may_go_with(micro: Depot) -> None:
    Vehicle.objects.exclude(depot=micro).update(cost_per_stop=9_000)
    Depot.objects.filter(pk=micro.pk).update(has_stock=False)
    assert van(order("D-1")) == "van-1"
    Depot.objects.filter(pk=micro.pk).update(has_stock=True, postcodes="9494")
    assert van(order("D-2")) == "van-1"
    Depot.objects.filter(pk=micro.pk).update(postcodes="9490")
    packed = order("D-3")
    assert van(packed) == "velo-9"
    Depot.objects.filter(pk=micro.pk).update(cutoff_time=time(8, 0))
    assert van(order("D-4")) == "van-1"
    # What the bicycle was to bring when the micro depot closed is packed there, and stays with it.
    window = world.hours(15, 17)
    changed = change_window(delivery=packed, window=window, revision=packed.revision, actor="shopper")
    assert van(changed) == "velo-9"
    Depot.objects.filter(parent=None).update(cutoff_time=time(8, 15))
    with pytest.raises(Refused, match="Orders for today closed at 08:15"):
        order("D-5")
    assert holds()


def test_each_ramp_loads_its_own_vans_and_what_was_loaded_there_comes_back_there(micro: Depot) -> None:
    near, far = order("D-1"), world.put_in_plan(world.delivery("Bob"))
    main = world.depot()
    assert [one.vehicle for one in vans_today(micro)] == ["velo-9"]
    assert [one.vehicle for one in vans_today(main)] == ["van-1"]
    parcel = near.parcels.get()
    Vehicle.objects.exclude(depot=micro).update(postcodes="9494")
    with pytest.raises(Refused) as refused:
        bring_back(barcode=parcel.barcode, depot=main, actor="clerk:1")
    assert refused.value.code == "other_depot"
    services.load(barcode=parcel.barcode, vehicle="velo-9", actor="clerk:2")
    route = Route.objects.get(shift__vehicle__code="velo-9")
    services.depart(route=route, actor="driver:1")
    visit = Visit.objects.get(drops__delivery=near)
    services.arrive(visit=visit, actor="driver:1")
    services.fail(visit=visit, reason="consignee_not_home", actor="driver:1")
    bring_back(barcode=parcel.barcode, depot=micro, actor="clerk:2")
    # The next try starts where the goods are: the van of Schaan has none of them, however cheap it is.
    Vehicle.objects.filter(depot=micro).update(cost_per_stop=9_000)
    Vehicle.objects.exclude(depot=micro).update(postcodes="")
    again = services.subject_of(Delivery.objects.get(pk=near.pk))
    stop = stop_for(take(depot=main, day=world.TODAY), again, world.hours(16, 18), None)
    assert stop.depots == {"vaduz"}
    assert Drop.objects.get(delivery=far).lies_at is None


def test_what_is_carried_from_one_depot_to_the_other_goes_with_a_van_from_there(micro: Depot, drain) -> None:
    Vehicle.objects.filter(depot=micro).update(cost_per_stop=9_000)
    carried = order("D-1")
    assert van(carried) == "van-1"
    barcode = carried.parcels.get().barcode
    for depot, brings in ((world.depot(), "van-1"), (micro, "velo-9")):
        bring_back(barcode=barcode, depot=depot, actor="clerk:1")
        drain(planner=True)
        assert van(carried) == brings
        assert Drop.objects.get(delivery=carried).lies_at == depot
        assert holds()


def test_a_second_load_is_fetched_at_the_micro_depot_and_the_way_home_leads_there(micro: Depot) -> None:
    Vehicle.objects.filter(depot=micro).update(reload_seconds=900, capacity_pieces=1)
    Vehicle.objects.exclude(depot=micro).update(postcodes="9494")
    first = order("D-1", world.hours(9, 11))
    # Whoever asks now is offered what only another call at the depot makes possible, and gets it.
    windows = [world.hours(hour, hour + 2) for hour in (8, 11, 13, 15)]
    offered = services.offers_for(services.subject_of(another := world.delivery("Alice", offset=0.002)), windows)
    assert sum(one.feasible for one in offered) >= 3
    for one in offered:
        if one.feasible:
            proposal = services.propose(delivery=another, place=another.place, window=one.window)
            problem, plan = proposal.timetable.problem, proposal.timetable.solution
            assert proposal.arrival == one.arrival
            assert one.added_seconds == _driving(problem, plan) - _driving(problem, take_standing())
            assert violations(problem, plan) == []
    second, third = order("D-2", world.hours(12, 14)), order("D-3", world.hours(15, 17))
    assert [van(one) for one in (first, second, third)] == ["velo-9"] * 3
    calls = Visit.objects.filter(kind=Visit.Kind.RELOAD)
    assert {call.place.point for call in calls} == {(micro.latitude, micro.longitude)}
    assert len(calls) == 2
    (bike,) = vans_today(micro)
    assert (len(bike.missing), bike.later) == (1, 2)
    with clock.frozen(world.hours(8, 9).earliest):
        assert holds()


def take_standing() -> Solution:
    return take(depot=world.depot(), day=world.TODAY).standing


def _driving(problem: Problem, plan: Solution) -> int:
    return plan_cost(problem, plan, PLAIN).driving


def test_a_micro_depot_has_one_parent_that_has_none() -> None:
    main = world.depot()
    alone = Depot(code="m", kind=Depot.Kind.MICRO, name="M", street="S", town="T", latitude=47.1, longitude=9.5)
    with pytest.raises(ValidationError, match="needs the depot"):
        alone.full_clean()
    alone.parent = main
    alone.full_clean()
    alone.save()
    nested = Depot(code="n", kind=Depot.Kind.MICRO, name="N", street="S", town="T", latitude=47.1, longitude=9.5)
    nested.parent = alone
    with pytest.raises(ValidationError, match="not with another micro depot"):
        nested.full_clean()
    alone.time_zone = "Europe/London"
    with pytest.raises(ValidationError, match="time zone"):
        alone.full_clean()
