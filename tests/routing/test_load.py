"""The load scan: the first parcel binds a delivery to its van, and what the clerk is told is true when it is said."""

from typing import Any

import pytest
from django.db import connection

from apps.core.errors import Refused
from apps.deliveries.models import Delivery, Parcel
from apps.deliveries.states import State
from apps.routing import services
from apps.routing.models import Route, Visit
from apps.routing.planner.check import Code, violations
from apps.routing.selectors import van_of
from apps.routing.snapshot import take
from tests import world

pytestmark = pytest.mark.django_db


def second_parcel(delivery: Delivery) -> Parcel:
    return Parcel.objects.create(
        delivery=delivery,
        barcode=f"DX{delivery.pk:08d}",
        weight_grams=900,
        length_millimetres=200,
        width_millimetres=200,
        height_millimetres=100,
    )


@pytest.mark.covers("O9")
def test_the_first_of_two_parcels_binds_the_delivery_to_its_van() -> None:
    alice, *_ = world.planned_day(vans=2)
    second_parcel(alice)
    van = van_of(alice.pk)[1].code
    assert services.load(barcode=alice.parcels.first().barcode, vehicle=van, actor="clerk:1").missing == 1
    snapshot = take(depot=world.depot(), day=world.TODAY)
    own, other = sorted(snapshot.shifts.values(), key=lambda shift: shift.code != van)
    stop = snapshot.timetable.problem.stop[snapshot.visits[snapshot.visits_of(alice.pk)[0]].key]
    assert stop.loaded_on == own.key
    # What a re-plan that moves it would be told: the independent checker refuses.
    routes = snapshot.standing.route
    hopped = snapshot.standing.without(stop.id).with_route(
        routes[other.key].replace(stops=(*routes[other.key].stops, stop.id))
    )
    assert Code.HOPPED in {one.code for one in violations(snapshot.problem, hopped)}


def between_reading_and_writing(act: Any) -> Any:
    """Runs `act` right after the scan has read where the parcel goes, as somebody who comes in between."""
    done: list[bool] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if not done and sql.startswith("SELECT") and 'FROM "routing_drop"' in sql:
            done.append(True)
            act()
        return answer

    return connection.execute_wrapper(wrapper)


def test_a_stop_that_the_plan_moves_during_the_scan_is_not_said_to_be_on_the_old_van() -> None:
    alice, *_ = world.planned_day(vans=2)
    code = van_of(alice.pk)[1].code
    other = next(shift for shift in take(depot=world.depot(), day=world.TODAY).shifts.values() if shift.code != code)
    target = Route.objects.get_or_create(shift_id=other.shift, defaults={"plan": van_of(alice.pk)[0].plan})[0]
    barcode = alice.parcels.get().barcode
    visit = Visit.objects.get(drops__delivery=alice)
    with (
        between_reading_and_writing(lambda: Visit.objects.filter(pk=visit.pk).update(route=target)),
        pytest.raises(Refused) as refused,
    ):
        services.load(barcode=barcode, vehicle=code, actor="clerk:1")
    assert refused.value.code == "other_van"
    assert alice.parcels.get().loaded_at is None
    assert Delivery.objects.get(pk=alice.pk).state == State.PLANNED


def test_a_parcel_scanned_while_its_van_leaves_is_refused(now) -> None:
    alice, *_ = world.planned_day(vans=1)
    route = van_of(alice.pk)[0]
    with (
        between_reading_and_writing(lambda: Route.objects.filter(pk=route.pk).update(departed_at=now.instant)),
        pytest.raises(Refused) as refused,
    ):
        services.load(barcode=alice.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    assert refused.value.code == "left_depot"
