"""Goods that are collected on the way: exact against brute force, never parted, judged by the independent checker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.check import Code, violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Refusal, Timetable, best_insertion
from apps.routing.planner.intervals import intersect
from apps.routing.planner.limits import PLAIN
from apps.routing.planner.pairs import PairCandidate, PairInsertion, applied_pair, best_pair
from apps.routing.planner.problem import Load, Problem, Stop
from apps.routing.planner.second_wave import inserted
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.solve import build, improve
from tests.planner.instances import (
    HOUR,
    greedy_plan,
    planned,
    random_rich_problem,
    random_stop,
    random_windows,
    stop,
    three_on_a_street,
    van,
)
from tests.planner.test_insertion import as_tuple, under_way, with_any_breaks
from tests.planner.test_insertion import brute_force as single

seeds = st.integers(0, 10**6)
SHOP = (0, 8 * HOUR)


def pair_of(rng: np.random.Generator, name: str, shop: int, home: int) -> tuple[Stop, Stop]:
    """A pick-up at a shop and the delivery of what is collected there."""
    plain = random_stop(rng, name, home)
    load = Load(int(rng.integers(100, 30_000)), 1000, int(rng.integers(1, 3)))
    first = Stop(f"{name}-shop", shop, random_windows(rng), service=180, load=load, collects=True, pair=name)
    return first, plain.replace(load=load, pair=first.id)


def day_with_pairs(seed: int) -> tuple[Problem, Solution]:
    """A random day with every constraint, two pairs in it, the first van under way with what it has on board."""
    problem = random_rich_problem(seed, vans=3, stops=7, spare=6)
    rng = np.random.default_rng([seed, 5])
    for number in range(2):
        halves = pair_of(rng, f"p{number}", 8 + 2 * number, 9 + 2 * number)
        problem = problem.replace(stops=(*problem.stops, *halves))
    timetable = greedy_plan(problem.replace(stops=tuple(s for s in problem.stops if not s.pair)))
    timetable = Timetable.of(problem, timetable.solution)
    for number in range(2):
        found = inserted(timetable, problem.stop[f"p{number}"])
        if isinstance(found, Timetable):
            timetable = found
    left = {s.id: Reason.NOT_PLANNED for s in problem.stops if s.id not in timetable.vehicle_of and not s.is_reload}
    plan = timetable.solution.replace(unserved=left)
    assert violations(problem, plan) == []
    return problem, plan


def brute_force(problem: Problem, plan: Solution, collect: Stop, bring: Stop, before: Problem) -> tuple | None:
    """Every van, both positions and every place of its breaks, judged by the checker."""
    whole, best, strict = problem.with_stop(collect).with_stop(bring), None, {collect.id, bring.id}
    for number, vehicle in enumerate(problem.vehicles):
        route = plan.route.get(vehicle.id, Route(vehicle.id))
        base = plan_cost(whole, Solution((route,)), PLAIN).units
        for first in range(route.frozen, len(route.stops) + 1):
            with_first = route.replace(breaks=()).inserted(first, collect.id)
            for second in range(first + 1, len(with_first.stops) + 1):
                for tried in with_any_breaks(vehicle, with_first.inserted(second, bring.id)):
                    found = (plan_cost(whole, Solution((tried,)), PLAIN).units - base, number, first, second)
                    if best is not None and found >= best:
                        continue
                    if not violations(
                        whole, plan.with_route(tried), standing=plan, standing_problem=before, strict=strict
                    ):
                        best = found
    return best


@pytest.mark.covers("O19")
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_a_pair_goes_exactly_where_brute_force_would_put_it(seed: int) -> None:
    """Both halves at once, beside other pairs, breaks, overtime, range, reloads, tariffs, traffic and late vans."""
    problem, plan = day_with_pairs(seed)
    problem, plan = under_way(problem, plan, seed)
    rng = np.random.default_rng(seed + 1)
    collect, bring = pair_of(rng, "new", int(rng.integers(12, 14)), int(rng.integers(8, 14)))
    timetable = Timetable.of(problem, plan)
    found = best_pair(timetable, collect, bring)
    expected = brute_force(problem, timetable.solution, collect, bring, problem)
    offered = PairCandidate(timetable, collect, bring)
    for window in ((opens * HOUR, (opens + 2) * HOUR) for opens in range(0, 8, 2)):
        cut = bring.replace(windows=intersect(bring.windows, window))
        assert offered.within(window) == best_pair(timetable, collect, cut)
    if isinstance(found, Refusal):
        assert expected is None
        return
    number = [vehicle.id for vehicle in problem.vehicles].index(found.vehicle)
    assert (found.brought.added_units, number, found.collected_at, found.brought.position) == expected
    after, was = applied_pair(timetable, found, collect, bring), plan_cost(problem, timetable.solution, PLAIN)
    strict = {collect.id, bring.id}
    assert violations(after.problem, after.solution, standing=plan, standing_problem=problem, strict=strict) == []
    now = plan_cost(after.problem, after.solution, PLAIN)
    assert found.brought.added_units == now.units - was.units
    assert found.brought.added_seconds == now.driving - was.driving
    assert found.brought.added_grams_co2e == now.grams_co2e - was.grams_co2e
    assert found.brought.start == after.times(bring.id).start


@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_other_stops_keep_a_pair_together_and_a_half_goes_nowhere_alone(seed: int) -> None:
    """An ordinary stop, and a half that is taken out by itself, are put in as brute force would under the checker."""
    problem, plan = day_with_pairs(seed)
    problem, plan = under_way(problem, plan, seed)
    rng = np.random.default_rng(seed + 2)
    movable = [s for r in plan.routes for s in r.stops[r.frozen :] if problem.stop[s].pair]
    asked = [random_stop(rng, "new", 12)] + [problem.stop[s] for s in movable[:1]]
    for new in asked:
        bare = Timetable.of(problem, plan).without(new.id)
        if new.pair and not bare.tables[plan.vehicle_of[new.id]].holds:
            continue
        found = best_insertion(bare, new)
        expected = single(problem, bare.solution, new, plan, problem)
        assert as_tuple(problem, found) == expected


@settings(max_examples=2, deadline=None)
@given(seed=seeds)
def test_the_solvers_never_part_a_pair(seed: int) -> None:
    """A day built by OR-Tools, and a standing one improved on one van and on three."""
    problem, plan = day_with_pairs(seed)
    built = build(problem, seconds=1.0, engine="ortools")
    assert violations(problem, built) == []
    problem, plan = under_way(problem, plan, seed)
    for mode in ("insertion", "one_van", "three_vans"):
        found = improve(problem, plan, mode=mode, changed=list(problem.stop), solutions=20)
        assert found.reason != "violates"
        assert violations(problem, found.solution, standing=plan) == []


def street_with_a_shop(**changes: object) -> tuple[Problem, Solution, Stop, Stop]:
    """The shop lies at c's, 30 minutes out; its customer at 15 minutes, so that the van turns round."""
    problem, plan = three_on_a_street()
    load = Load(1000, 5000, 1)
    collect = Stop("shop", 3, (SHOP,), service=60, load=load, collects=True, pair="home")
    return problem, plan, collect, stop("home", 4, load=load, pair="shop").replace(**changes)


def test_on_the_way_to_the_shop_the_second_half_is_searched_like_a_loaded_parcel() -> None:
    problem, _plan, collect, bring = street_with_a_shop(windows=((HOUR, 2 * HOUR),))
    problem = problem.with_stop(collect).with_stop(bring)
    out = van(started=True, first_arrival=30 * 60)
    problem = problem.replace(
        vehicles=(out, van("other")),
        stops=tuple(s if s.pair else s.replace(loaded_on="van") for s in problem.stops),
    )
    plan = planned(problem, van=["shop", "c", "a", "b", "home"], other=[])
    plan = plan.with_route(plan.route["van"].replace(frozen=1))
    found = improve(problem, plan, mode="fleet", solutions=50)
    assert (found.applied, found.solution.vehicle_of["home"]) == (True, "van")
    assert violations(problem, found.solution, standing=plan) == []


def test_it_is_collected_first_and_brought_on_the_way_back() -> None:
    problem, plan, collect, bring = street_with_a_shop()
    found = best_pair(Timetable.of(problem, plan), collect, bring)
    assert isinstance(found, PairInsertion)
    after = applied_pair(Timetable.of(problem, plan), found, collect, bring)
    assert after.solution.route["van"].stops == ("a", "b", "shop", "c", "home")
    assert (found.brought.added_seconds, found.brought.green) == (0, True)


def test_a_pair_is_refused_with_the_half_that_stands_in_the_way() -> None:
    problem, plan, collect, bring = street_with_a_shop()
    timetable = Timetable.of(problem, plan)
    early = bring.replace(windows=((0, 20 * 60),))
    assert best_pair(timetable, collect, early) == Refusal(Reason.WINDOW)
    assert best_pair(timetable, collect.replace(windows=((0, 600),)), bring) == Refusal(Reason.COLLECTION)
    assert best_insertion(timetable, bring) == Refusal(Reason.COLLECTION)
    full = problem.replace(vehicles=(van(capacity=Load(3000, 15000, 3)),))
    assert isinstance(best_pair(Timetable.of(full, plan), collect, bring), PairInsertion)
    heavy = {"load": Load(3500, 0, 1)}
    answer = best_pair(Timetable.of(full, plan), collect.replace(**heavy), bring.replace(**heavy))
    assert answer == Refusal(Reason.CAPACITY)


def test_the_judge_sees_every_way_to_part_a_pair() -> None:
    problem, _plan, collect, bring = street_with_a_shop()
    problem = problem.with_stop(collect).with_stop(bring).replace(vehicles=(van(), van("other")))
    wrong = [
        planned(problem, van=["a", "b", "c", "home", "shop"], other=[]),
        planned(problem, van=["a", "b", "c", "shop"], other=["home"]),
        planned(problem, van=["a", "b", "c", "shop"], other=[], unserved={"home": Reason.WINDOW}),
    ]
    for plan in wrong:
        assert Code.PAIR in {one.code for one in violations(problem, plan)}
    assert violations(problem, planned(problem, van=["a", "b", "shop", "c", "home"], other=[])) == []


def test_the_load_is_on_board_between_the_halves_only() -> None:
    """Room for two: the depot's parcels are gone when the van comes to the shop, and back again is too late."""
    problem, _plan, collect, bring = street_with_a_shop()
    small = problem.with_stop(collect).with_stop(bring).replace(vehicles=(van(capacity=Load(10**6, 10**6, 3)),))
    assert violations(small, planned(small, van=["a", "b", "c", "shop", "home"])) == []
    early = violations(small, planned(small, van=["shop", "home", "a", "b", "c"]))
    assert [(one.code, one.seconds) for one in early] == [(Code.CAPACITY, 1)]
