"""Several depots: who serves an address, who sends an order, and until when; and what a window really emits."""

from datetime import time, timedelta

import pytest

from apps.core.errors import Refused
from apps.deliveries.inputs import ContactInput, ParcelInput, PlaceInput
from apps.deliveries.models import Delivery
from apps.fleet.models import Depot, Vehicle
from apps.rescheduling.services import change_window, create_delivery, offer_windows
from apps.routing.models import Visit
from apps.routing.planner.emissions import plan_grams
from apps.routing.services import ensure_plan, propose, take_in
from apps.routing.services.clearing import clear
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db
TOMORROW = world.TODAY + timedelta(days=1)


def order(reference: str = "D-1", window=None) -> Delivery:
    return create_delivery(
        merchant=world.merchant(),
        reference=reference,
        recipient=ContactInput("Dora Depot", "+4237910000"),
        buyer=None,
        place=PlaceInput("Landstrasse", "9490", "Vaduz", 47.1412, 9.5216, house_number="14"),
        window=window or world.hours(10, 14),
        parcels=[ParcelInput(500, 200, 100, 50)],
        actor="merchant:1",
    )


def depot_of(delivery: Delivery) -> str:
    return Visit.objects.get(drops__delivery=delivery).plan.depot.code


@pytest.fixture
def micro() -> Depot:
    """A micro depot in the middle of Vaduz, with a bike."""
    made = Depot.objects.create(
        code="vaduz", kind="micro", name="Vaduz", street="Städtle", town="Vaduz", latitude=47.1410, longitude=9.5216
    )
    shift = world.shift("velo-9", kind="cargo_bike")
    Vehicle.objects.filter(pk=shift.vehicle_id).update(depot=made)
    return made


@pytest.mark.covers("O2")
def test_an_order_goes_out_from_the_depot_that_brings_it_at_the_least_cost(micro: Depot) -> None:
    world.shift("van-1")
    assert depot_of(order("D-1")) == "vaduz"
    Vehicle.objects.filter(depot=micro).update(cost_per_stop=9_000)
    assert depot_of(order("D-2")) == "schaan"


@pytest.mark.covers("O2")
def test_a_depot_sends_nothing_without_stock_or_outside_its_zone(micro: Depot) -> None:
    world.shift("van-1")
    Depot.objects.filter(pk=micro.pk).update(has_stock=False)
    assert depot_of(order("D-1")) == "schaan"
    Depot.objects.filter(pk=micro.pk).update(has_stock=True, postcodes="9494, 9495")
    assert depot_of(order("D-2")) == "schaan"


@pytest.mark.covers("O2")
def test_after_the_cut_off_an_order_for_today_is_refused_in_words() -> None:
    world.shift("van-1")
    world.depot()
    Depot.objects.update(cutoff_time=time(8, 0))
    with pytest.raises(Refused) as refused:
        order()
    assert refused.value.code == "after_cutoff"
    assert refused.value.message == "Orders for today closed at 08:00. Please choose another day."


@pytest.mark.covers("O2")
def test_after_the_cut_off_only_other_days_are_offered_and_who_is_in_todays_plan_stays_in_it() -> None:
    for day in (world.TODAY, TOMORROW):
        world.shift("van-1", day=day)
    alice = world.put_in_plan(world.delivery("Alice", world.hours(9, 18)))
    bob = world.put_in_plan(world.delivery("Bob", world.hours(9, 18, TOMORROW)))
    Depot.objects.update(cutoff_time=time(8, 0))
    with pytest.raises(Refused) as refused:
        order()
    assert refused.value.alternatives
    assert {one.day for one in refused.value.alternatives} == {TOMORROW}
    assert {one.reason for one in offer_windows(delivery=bob) if one.day == world.TODAY} == {"after_cutoff"}
    assert any(one.feasible for one in offer_windows(delivery=alice) if one.day == world.TODAY)
    with pytest.raises(Refused) as refused:
        change_window(delivery=bob, window=world.hours(14, 16), revision=bob.revision, actor="shopper")
    assert refused.value.code == "after_cutoff"


@pytest.mark.covers("O2")
def test_another_depot_that_still_packs_brings_an_order_of_today(micro: Depot) -> None:
    world.shift("van-1")
    Depot.objects.filter(pk=micro.pk).update(cutoff_time=time(8, 0))
    assert depot_of(order("D-1")) == "schaan"


@pytest.mark.covers("R9")
def test_a_green_window_says_what_the_plan_with_it_emits_less_the_plan_without_it() -> None:
    # At noon the van is in Vaduz and later at the neighbour's in Triesen: before noon it would drive there twice.
    world.planned_day(("Alice",), vans=1, window=world.hours(11.5, 12))
    world.put_in_plan(world.delivery("Charlie", world.hours(14, 15), offset=0.0005))
    bob = world.put_in_plan(world.delivery("Charlie", world.hours(9, 11)))
    found = [one for one in offer_windows(delivery=bob) if one.feasible and one.day == world.TODAY]
    green = [one for one in found if one.green]
    assert green
    assert any(not one.green for one in found)
    for one in found:
        proposal = propose(delivery=bob, place=bob.place, window=one.window)
        without = clear(take(depot=world.depot(), day=world.TODAY), bob.pk).timetable
        problem = proposal.timetable.problem
        emitted = plan_grams(problem, proposal.timetable.solution) - plan_grams(problem, without.solution)
        assert abs(one.added_grams - emitted) <= 1
    assert all(one.saved_grams > 0 for one in green)
    assert all(one.saved_grams == 0 for one in found if not one.green)


def test_what_is_due_is_taken_in_with_one_question_about_depots_and_also_where_none_has_stock(
    micro: Depot, django_assert_max_num_queries
) -> None:
    plan = ensure_plan(depot=micro, day=world.TODAY)
    Depot.objects.update(has_stock=False)
    for number in range(8):
        world.delivery("Alice", offset=0.001 * number)
    with django_assert_max_num_queries(25) as asked:
        taken = take_in(plan)
    assert taken == 8
    assert sum('FROM "fleet_depot"' in one["sql"] for one in asked.captured_queries) == 1
