"""Positions from phones: only the own van's, nonsense dropped and counted, newest wins."""

from datetime import timedelta

import pytest

from apps.events.models import Reaction
from apps.fleet.models import Position, PositionDrop
from tests import world
from tests.conftest import FrozenClock
from tests.drivers.phones import leave, one_van_day, phone_of, post

pytestmark = [pytest.mark.django_db]
PATH = "/driver/api/positions"


def fix(now: FrozenClock, seconds: float = 0, lat: object = 47.16, lon: object = 9.51) -> dict[str, object]:
    return {"lat": lat, "lon": lon, "at": (now.instant + timedelta(seconds=seconds)).isoformat()}


@pytest.mark.covers("GS40")
def test_nonsense_is_dropped_and_counted(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    rows: list[object] = [
        fix(now, lat=float("nan")),
        fix(now, lon=float("inf")),
        fix(now, lat=10**400),
        fix(now, lat="47"),
        fix(now, lat=True),
        {"lat": 47.1, "lon": 9.5},
        {"lat": 47.1, "lon": 9.5, "at": "soon"},
        "not a fix",
        None,
        fix(now, 3600),
        fix(now, -90_000),
        fix(now, lat=-33.0, lon=151.0),
        fix(now, -5),
    ]
    assert post(phone_of(driver), PATH, {"positions": rows}).status_code == 204
    assert dict(PositionDrop.objects.values_list("reason", "count")) == {
        "not_a_place": 9,
        "from_the_future": 1,
        "too_old": 1,
        "off_the_map": 1,
    }
    assert Position.objects.get().vehicle.code == "van-1"


@pytest.mark.covers("GS40")
def test_newest_wins_and_nothing_moves_backwards(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    phone = phone_of(driver)
    post(phone, PATH, {"positions": [fix(now, -5, lat=47.161), fix(now, -20, lat=47.160)]})
    before = Position.objects.get()
    for _replay in range(3):
        post(phone, PATH, {"positions": [fix(now, -60, lat=47.159)]})
    after = Position.objects.get()
    assert (after.latitude, after.at) == (before.latitude, before.at) == (47.161, now.instant - timedelta(seconds=5))


@pytest.mark.covers("GS40")
def test_another_van_cannot_be_named(now: FrozenClock) -> None:
    """There is no field for a vehicle: whatever is said, it is the van of the phone's own shift."""
    _deliveries, driver = one_van_day(("Alice",))
    world.shift("van-2")
    row = {**fix(now), "vehicle": "van-2", "vehicle_id": 2, "driver": 2}
    post(phone_of(driver), PATH, {"positions": [row], "vehicle": "van-2"})
    assert set(Position.objects.values_list("vehicle__code", flat=True)) == {"van-1"}


@pytest.mark.covers("GS40")
def test_a_flood_is_slowed_down(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    phone = phone_of(driver)
    answers = [post(phone, PATH, {"positions": []})]
    # A new minute may begin meanwhile, with a count of its own.
    while answers[-1].status_code == 204 and len(answers) < 620:
        answers.append(post(phone, PATH, {"positions": []}))
    assert len(answers) > 300
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1


@pytest.mark.parametrize("body", [b"[", b"[]", b'{"positions": 5}', b"{}", b'{"positions": {}}', b"[" * 200_000])
def test_a_body_nobody_can_read_is_refused(body: bytes) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    answer = phone_of(driver).post(PATH, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_the_routes_times_follow(now: FrozenClock) -> None:
    _deliveries, driver = one_van_day(("Alice",))
    phone = phone_of(driver)
    post(phone, PATH, {"positions": [fix(now, -10)]})
    assert not Reaction.objects.filter(dedupe_key__startswith="roll-soon").exists()
    leave(driver)
    for seconds in (-5, -1):
        post(phone, PATH, {"positions": [fix(now, seconds)]})
    assert Reaction.objects.filter(dedupe_key__startswith="roll-soon").count() == 1
