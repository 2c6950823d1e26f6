"""A cargo bike serves the postcodes it is meant for, in day plans, in answers and in offers."""

import pytest

from apps.core.errors import Refused
from apps.fleet.models import Vehicle
from apps.routing import services
from apps.routing.models import Visit
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.covers("O14")]
VADUZ_AND_SCHAAN = "9490, 9494"


@pytest.fixture
def bike() -> Vehicle:
    shift = world.shift("velo-1", kind="cargo_bike")
    Vehicle.objects.filter(pk=shift.vehicle_id).update(postcodes=VADUZ_AND_SCHAAN)
    return shift.vehicle


def test_a_day_plan_gives_the_bike_its_own_postcodes_only(bike: Vehicle) -> None:
    vaduz, triesen = world.delivery("Alice"), world.delivery("Charlie")
    services.build_day(depot=world.depot(), day=world.TODAY)
    assert Visit.objects.get(drops__delivery=vaduz).route.shift.vehicle == bike
    left = Visit.objects.get(drops__delivery=triesen)
    assert (left.route, left.unserved_reason) == (None, "zone")


def test_an_answer_goes_to_a_van_that_may_drive_there_or_says_that_none_does(bike: Vehicle) -> None:
    triesen = world.delivery("Charlie")
    with pytest.raises(Refused) as refused:
        services.propose(delivery=triesen, place=triesen.place, window=triesen.window)
    assert refused.value.code == "zone"
    van = world.shift("van-1")
    found = services.propose(delivery=triesen, place=triesen.place, window=triesen.window)
    assert found.insertion.vehicle == str(van.pk)
