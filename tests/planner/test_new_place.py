"""A place in no matrix: the bounded rows give the answer of the full rows, with far fewer queries."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.check import violations
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, best_insertion
from apps.routing.planner.new_place import SHORTCUT, NewPlace, PlaceRows, best_for_new_place
from apps.routing.planner.problem import NEW_PLACE, Problem, TrafficTable
from apps.routing.planner.squeeze import squeeze
from apps.routing.planner.travel import Travel
from tests.planner.instances import (
    greedy_plan,
    random_problem,
    random_rich_problem,
    random_stop,
    random_windows,
    stop,
)
from tests.planner.test_insertion import under_way


class RoadQueries:
    """Answers rows of one hidden location out of the full matrices, and counts what was asked."""

    def __init__(self, travel: dict[str, Travel], hidden: int) -> None:
        self.travel, self.hidden = travel, hidden
        self.asked: list[tuple[str, int]] = []

    def __call__(self, profile: str, locations: Sequence[int]) -> PlaceRows:
        full = self.travel[profile]
        self.asked += [(profile, location) for location in locations]
        here, there = self.hidden, list(locations)
        return PlaceRows(
            full.seconds[there, here], full.seconds[here, there], full.metres[there, here], full.metres[here, there]
        )


def without_last(problem: Problem) -> Problem:
    """The same problem with the last place taken out of the matrices."""
    size = next(iter(problem.travel.values())).size - 1
    travel = {name: t.take(range(size)) for name, t in problem.travel.items()}
    return problem.replace(travel=travel, traffic={name: t.take(range(size)) for name, t in problem.traffic.items()})


def roughened(problem: Problem, seed: int) -> Problem:
    """Roads on which the way over a third place may be the faster one, as turning round there costs nothing."""
    rng = np.random.default_rng(seed)
    rough = {}
    for name, travel in problem.travel.items():
        extra = rng.integers(0, SHORTCUT - 5, travel.seconds.shape, dtype=np.int32)
        np.fill_diagonal(extra, 0)
        rough[name] = Travel(travel.seconds + extra, travel.metres, True)
    return problem.replace(travel=rough)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), seeds=st.integers(0, 8))
def test_bounded_rows_answer_like_full_rows(seed: int, seeds: int) -> None:
    problem = roughened(random_problem(seed, stops=20, spare=1), seed)
    problem, plan = under_way(problem, greedy_plan(problem).solution, seed)
    hidden = 21
    rng = np.random.default_rng(seed + 3)
    new = stop("new", hidden, *random_windows(rng), loaded_on="van0" if rng.random() < 0.3 else None)
    full = best_insertion(Timetable.of(problem, plan), new)
    rows = RoadQueries(dict(problem.travel), hidden)
    nearest = np.argsort(problem.travel["car"].seconds[:hidden, hidden], kind="stable")[:seeds].tolist()
    known = Timetable.of(without_last(problem), plan)
    bounded = best_for_new_place(known, new.replace(location=NEW_PLACE), nearest, rows)
    assert bounded == full if isinstance(full, Insertion) else isinstance(bounded, Refusal)
    assert len(rows.asked) == len(set(rows.asked)), "no row is asked for twice"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_bounded_rows_answer_like_full_rows_under_every_constraint(seed: int) -> None:
    """Money, range, breaks, traffic and slow vans as well: with and without all rows, the answer is one."""
    problem = random_rich_problem(seed, stops=16, spare=1)
    problem, plan = under_way(problem, greedy_plan(problem).solution, seed)
    hidden = 17
    new = random_stop(np.random.default_rng(seed + 3), "new", hidden)
    rows = RoadQueries(dict(problem.travel), hidden)
    nearest = np.argsort(problem.travel["car"].seconds[:hidden, hidden], kind="stable")[:4].tolist()
    like = {
        name: TrafficTable((*table.zone_of_location[:hidden], table.zone_of_location[nearest[0]]), table.permille)
        for name, table in problem.traffic.items()
    }
    full = best_insertion(Timetable.of(problem.replace(traffic=like), plan), new)
    known = Timetable.of(without_last(problem), plan)
    bounded = best_for_new_place(known, new.replace(location=NEW_PLACE), nearest, rows)
    if isinstance(full, Insertion) and problem.vehicle[full.vehicle].is_carrier:
        full = dataclasses.replace(full, added_grams_co2e=0)  # nobody asked how far the carrier has to go
    assert bounded == full if isinstance(full, Insertion) else isinstance(bounded, Refusal)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_room_at_a_new_place_is_made_with_the_rows_that_it_takes(seed: int) -> None:
    """What was refused finds room exactly when it would with every row known; the judge sees the plan on full roads."""
    problem = roughened(random_problem(seed, stops=20, spare=1), seed)
    problem, plan = under_way(problem, greedy_plan(problem).solution, seed)
    hidden = 21
    opens = seed % 25_000
    new = stop("new", hidden, (opens, opens + 900))
    full = Timetable.of(problem, plan)
    refusal = best_insertion(full, new)
    if isinstance(refusal, Insertion):
        return
    rows = RoadQueries(dict(problem.travel), hidden)
    place = NewPlace(np.argsort(problem.travel["car"].seconds[:hidden, hidden], kind="stable")[:4].tolist(), rows)
    known = Timetable.of(without_last(problem), plan)
    refused = place.best(known, new.replace(location=NEW_PLACE))
    assert isinstance(refused, Refusal)
    found = squeeze(known, new.replace(location=NEW_PLACE), refused, tried=10**6, place=place)
    assert isinstance(found, Refusal) == isinstance(squeeze(full, new, refusal, tried=10**6), Refusal)
    assert len(rows.asked) == len(set(rows.asked)), "no row is asked for twice"
    if not isinstance(found, Refusal):
        after = found.timetable.solution
        whole = problem.with_stop(new)
        assert violations(whole, after, standing=plan, standing_problem=problem, strict={"new"}) == []
        assert found.timetable.times("new") == Timetable.of(whole, after).times("new")


def test_most_rows_are_never_asked_for() -> None:
    """With a hundred stops, the bounds leave a small part of the rows to ask for."""
    problem = random_problem(7, stops=100, spare=1, vans=5)
    plan = greedy_plan(problem).solution
    rows = RoadQueries(dict(problem.travel), 101)
    nearest = np.argsort(problem.travel["car"].seconds[:101, 101]).tolist()
    found = best_for_new_place(Timetable.of(without_last(problem), plan), stop("new", NEW_PLACE), nearest, rows)
    assert isinstance(found, Insertion)
    assert len({location for profile, location in rows.asked if profile == "car"}) < 40
