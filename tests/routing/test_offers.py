"""What a shopper is shown before choosing is what the plan then does."""

import pytest

from apps.routing import services
from apps.routing.models import Visit
from tests import world

pytestmark = pytest.mark.django_db


@pytest.mark.covers("R1")
def test_an_offer_shows_the_place_that_is_then_taken():
    """The cheapest gap lies in the middle and moves everybody behind it; the quiet one is what is committed."""
    world.shift("van-1")
    for number in range(6):
        world.put_in_plan(world.delivery("Alice", offset=0.004 * number))
    asked = world.delivery("Alice", offset=0.01)
    asked.service_seconds = 1500
    asked.save()
    shown = services.offers(delivery=asked, place=asked.place, windows=[asked.window])[0]
    world.put_in_plan(asked)
    taken = Visit.objects.get(drops__delivery=asked)
    assert shown.feasible
    assert shown.arrival == taken.planned_arrival
    assert taken.sequence == 7
