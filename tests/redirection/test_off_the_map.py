"""An address that no road of ours comes near is refused by its name to whoever gave it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import Refused
from apps.deliveries.services import ContactInput, ParcelInput, PlaceInput
from apps.redirection.services import move_to_address
from apps.rescheduling.services import create_delivery
from apps.routing import roads
from tests import world
from tests.planner import travel_world
from tests.redirection.points import verified

pytestmark = [pytest.mark.django_db, pytest.mark.planner]
ALP = PlaceInput("Alpweg", "9497", "Triesenberg", 47.1000, 9.6200, house_number="1")


@pytest.fixture(autouse=True)
def on_roads(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.ROADS_DIR, settings.MATRIX_DIR = travel_world.country().parent, tmp_path
    roads.forget()
    yield
    roads.forget()


def test_the_shopper_and_the_shop_read_which_address_it_is() -> None:
    alice, *_others = world.planned_day(vans=1)
    with pytest.raises(Refused) as moved:
        move_to_address(delivery=alice, place=ALP, revision=alice.revision, actor="shopper", access=verified(alice))
    for window in (world.hours(10, 12), None):
        with pytest.raises(Refused) as ordered:
            create_delivery(
                merchant=world.merchant(), reference="B-1", recipient=ContactInput("Dora", "+4237910099"), buyer=None,
                place=ALP, window=window, parcels=[ParcelInput(1000, 300, 200, 100)], actor="merchant:1",
            )  # fmt: skip
        assert (ordered.value.code, ordered.value.message) == (moved.value.code, moved.value.message)
    assert moved.value.message == "No road we drive on comes near Alpweg 1, 9497 Triesenberg."
