"""What the past teaches: service and driving times that are shrunk to what was believed before."""

from __future__ import annotations

import numpy as np
import pytest

from apps.routing.planner.effects import Effects, fit
from apps.routing.planner.learning import DayPace, Leg, ServiceTimes, Stay, Times, TravelTimes
from apps.routing.planner.quantiles import ErrorModel, Sample
from apps.routing.planner.replay import Learned, PastStop, Run, course, held_out, learn, mean_error, replay

HOUR = 3600


def stays(kind: str, zone: str, median: float, count: int, rng: np.random.Generator, parcels: int = 1) -> list[Stay]:
    took = median * np.exp(rng.normal(0.0, 0.4, count))
    return [Stay(kind, zone, parcels, None, 120, round(t), f"d{n % 5}", f"d{n % 5} v") for n, t in enumerate(took)]


def legs(hour: int, factor: float, count: int, rng: np.random.Generator, cell: str = "a") -> list[Leg]:
    took = 300 * factor * np.exp(rng.normal(0.0, 0.2, count))
    return [Leg("car", cell, hour, 300, round(t), f"d{n % 5}", f"d{n % 5} v") for n, t in enumerate(took)]


def test_nothing_learned_changes_nothing() -> None:
    times = Times.learn([], [])
    assert times.service.seconds(120, "address", "9490", 3) == 120
    assert times.travel.factor("car", "a", 17) == 1.0
    assert times.travel.table("car", ["a"]) is None


def test_one_odd_stop_moves_little_and_many_are_believed() -> None:
    rng = np.random.default_rng(1)
    usual = stays("address", "9490", 120, 400, rng)
    odd = ServiceTimes.learn([*usual, *stays("address", "9494", 600, 1, rng)])
    often = ServiceTimes.learn([*usual, *stays("address", "9494", 600, 200, rng)])
    assert odd.seconds(120, "address", "9494") < 240
    assert often.seconds(120, "address", "9494") == pytest.approx(600 * np.exp(0.08), rel=0.15)
    assert often.seconds(120, "address", "9490") == pytest.approx(120 * np.exp(0.08), rel=0.15)


def test_more_parcels_and_flats_take_longer() -> None:
    rng = np.random.default_rng(2)
    seen = [*stays("address", "z", 100, 300, rng), *stays("address", "z", 200, 300, rng, parcels=6)]
    seen += [stay._replace(floor=3) for stay in stays("address", "z", 260, 300, rng)]
    found = ServiceTimes.learn(seen)
    assert found.factor("address", "z", 6) > 1.5 * found.factor("address", "z", 1)
    assert found.factor("address", "z", 1, floor=3) > 1.8 * found.factor("address", "z", 1)


def test_forgotten_taps_and_lunch_breaks_teach_nothing() -> None:
    rng = np.random.default_rng(3)
    clean = legs(11, 1.2, 200, rng)
    pause = Leg("car", "a", 11, 300, 300 + 2 * HOUR, "d1", "d1 v")
    forgotten = Stay("address", "z", 1, None, 120, 5 * HOUR, "d1", "d1 v")
    assert TravelTimes.learn([*clean, *[pause] * 20]) == TravelTimes.learn(clean)
    assert ServiceTimes.learn([forgotten] * 20).seconds(120, "address", "z") == 120


@pytest.mark.covers("O12")
def test_the_rush_hour_is_slower_than_the_morning() -> None:
    rng = np.random.default_rng(4)
    found = TravelTimes.learn([*legs(11, 1.1, 150, rng), *legs(17, 1.6, 150, rng)])
    table = found.table("car", ["a", "a", "b"])
    assert table is not None
    morning, evening = (table.arrive(0, hour * HOUR, 600) - hour * HOUR for hour in (11, 17))
    assert morning == pytest.approx(660, rel=0.08)
    assert evening == pytest.approx(960, rel=0.08)
    # Nobody has driven there yet: the hour's own slowness, not the free road.
    assert table.arrive(1, 17 * HOUR, 600) - 17 * HOUR > 600


def test_what_was_learned_survives_being_written_down() -> None:
    rng = np.random.default_rng(5)
    times = Times.learn(stays("address", "z", 200, 80, rng), legs(9, 1.3, 80, rng))
    learned = Learned(times, ErrorModel.learn((Sample(600, float(e), 60.0) for e in rng.normal(0, 60, 300)), 5))
    again = Learned.from_json(learned.to_json())
    assert again.times.service.factor("address", "z") == pytest.approx(times.service.factor("address", "z"), rel=1e-3)
    assert again.errors == learned.errors
    assert again.times.road_pace == times.road_pace


def test_a_slow_day_raises_what_is_left_as_far_as_days_differ() -> None:
    pace = DayPace(spread=0.1, noise=0.5, typical=120.0)
    assert pace.factor(0, 0) == 1.0
    assert 1.0 < pace.factor(600, 300) < pace.factor(6000, 3000) < pace.factor(60000, 30000) < 2.0
    assert pace.left_over(0) == pace.spread > pace.left_over(10_000)
    assert pace.factor(10**9, 1) <= 2.5


def test_a_block_whose_labels_do_not_differ_vanishes() -> None:
    rng = np.random.default_rng(6)
    expected = np.full(600, 100.0)
    actual = expected * np.exp(rng.normal(0.3, 0.3, 600))
    labels = {"all": [""] * 600, "zone": [str(n % 12) for n in range(600)]}
    found = fit(expected, actual, labels)
    assert max(abs(effect) for effect in found.labels["zone"].values()) < 0.1
    assert found.factor({"all": ""}) == pytest.approx(actual.mean() / 100, rel=0.06)
    assert Effects.from_json(found.to_json()).factor({"all": ""}) == pytest.approx(found.factor({"all": ""}), rel=1e-3)


def week(seed: int, days: int = 6) -> list[Run]:
    """Two vans a day whose stops take 200 s and whose roads are half as slow again in the afternoon."""
    rng, runs = np.random.default_rng(seed), []
    for day in range(days):
        for van in ("a", "b"):
            clock, stops = 8 * HOUR, []
            for number in range(40):
                slow = 1.6 if clock >= 13 * HOUR else 1.1
                arrived = clock + round(240 * slow * np.exp(rng.normal(0, 0.2)))
                zone, typical = ("9490", 260) if number % 2 else ("9494", 140)
                left = arrived + round(typical * np.exp(rng.normal(0, 0.35)))
                stops.append(PastStop("address", zone, 1, None, 120, "a", 240, None, clock, arrived, left))
                clock = left
            runs.append(Run(f"day{day}", van, "car", tuple(stops)))
    return runs


@pytest.mark.covers("O18")
def test_the_error_falls_when_days_are_replayed_with_what_other_days_taught() -> None:
    runs = week(7)
    half_an_hour = range(1200, 2400)
    before = [sample for run in runs for sample in replay(run, Times()) if int(sample.lead) in half_an_hour]
    after = [sample for _run, sample in held_out(runs) if int(sample.lead) in half_an_hour]
    assert mean_error(after) < 0.5 * mean_error(before)
    assert abs(float(np.mean([sample.error for sample in after]))) < 60


@pytest.mark.covers("T6")
def test_four_in_five_arrivals_of_another_week_lie_between_earliest_and_latest() -> None:
    learned = learn(week(8))
    assert learned.errors is not None
    inside = [
        quantiles.earliest <= 100_000 + sample.lead + sample.error <= quantiles.latest
        for run in week(9)
        for sample in replay(run, learned.times)
        for quantiles in [learned.errors.honest(100_000 + int(sample.lead), now=100_000, scale=sample.scale)]
    ]
    assert len(inside) > 2000
    assert 0.76 <= np.mean(inside) <= 0.90


def test_a_planned_break_is_no_slow_road() -> None:
    plain = [
        PastStop("address", "z", 1, None, 120, "a", 300, None, n * 600, n * 600 + 300, n * 600 + 420) for n in (0, 1)
    ]
    rested = plain[1]._replace(left_previous=1500, arrived=1800, left=1920)
    run = Run("d", "v", "car", (plain[0], rested))
    assert course(run, Times())[-1].road == 1.0
    assert {round(sample.error) for sample in replay(run, Times())} == {0}
