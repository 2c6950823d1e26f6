import math

import numpy as np
import pytest

from apps.routing.planner.travel import UNREACHABLE, BadPoint, Point, StraightLine, Travel, straight_line, whole

BERN, ZURICH = Point(46.9480, 7.4474), Point(47.3769, 8.5417)


def test_straight_line_stretches_the_great_circle_and_admits_to_it() -> None:
    travel = straight_line([BERN, ZURICH], "car")
    assert travel.exact is False
    assert travel.metres[0, 1] == pytest.approx(95_500 * 1.4, rel=0.01)
    assert travel.seconds[0, 1] == pytest.approx(travel.metres[0, 1] / 10.5, abs=1)
    assert travel.seconds[0, 0] == 0


def test_a_drone_really_flies_the_straight_line() -> None:
    assert straight_line([BERN, ZURICH], "air").exact is True


def test_an_unknown_profile_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="submarine"):
        StraightLine("submarine")


@pytest.mark.parametrize("lat", [math.nan, math.inf, 95.0])
def test_a_point_that_is_nowhere_is_refused(lat: float) -> None:
    with pytest.raises(BadPoint):
        Point(lat, 9.5)


def test_points_a_metre_apart_are_one_place() -> None:
    assert Point(47.123451, 9.5).key == Point(47.123449, 9.500001).key
    assert Point(47.12345, 9.5).key != Point(47.12347, 9.5).key


def test_no_value_that_is_not_a_time_becomes_one() -> None:
    assert whole(np.array([math.nan, math.inf, 1e18, 12.6])).tolist() == [UNREACHABLE] * 3 + [13]


def test_twenty_unreachable_pairs_still_add_up() -> None:
    assert int(np.full(20, UNREACHABLE, dtype=np.int32).sum(dtype=np.int32)) == 20 * UNREACHABLE


def test_travel_refuses_what_is_no_matrix() -> None:
    good = np.zeros((2, 2), dtype=np.int32)
    with pytest.raises(ValueError, match="int32"):
        Travel(good.astype(float), good, exact=True)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="square"):
        Travel(np.zeros((2, 3), dtype=np.int32), good, exact=True)
    with pytest.raises(ValueError, match="negative"):
        Travel(good - 1, good, exact=True)


def test_take_keeps_the_order_asked_for() -> None:
    travel = straight_line([BERN, ZURICH, Point(47.0, 8.0)])
    part = travel.take([2, 0])
    assert part.seconds[0, 1] == travel.seconds[2, 0]
    assert part.size == 2
