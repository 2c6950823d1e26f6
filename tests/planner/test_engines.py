"""Every engine with every constraint of a day: what comes out passes the judge, and is what the rule says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner import ruining
from apps.routing.planner.calm import calmest_insertion
from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost, starts
from apps.routing.planner.eta import pairs
from apps.routing.planner.insertion import Insertion, Refusal, Timetable, best_insertion
from apps.routing.planner.limits import CALM, PLAIN, THRIFTY, Policy
from apps.routing.planner.problem import Break, Load, Problem, Stop, Tariff, TrafficTable
from apps.routing.planner.repairing import Repaired, fit_in
from apps.routing.planner.solution import Reason
from apps.routing.planner.solve import Verdict, build, churn_of, improve, reordered
from tests.planner.day import LivingDay
from tests.planner.instances import (
    DAY,
    HOUR,
    greedy_plan,
    line,
    planned,
    random_problem,
    random_rich_problem,
    stop,
    van,
    wishing,
)

pytestmark = pytest.mark.planner
EAGER = Policy(worth=1, worth_per_moved=0, most_moved=10**6)
ENGINES = ("ortools", "pyvrp")


@pytest.mark.covers("O1", "O2", "O3", "O13", "O14", "O19")
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), engine=st.sampled_from(ENGINES))
def test_a_day_with_every_constraint_is_built_and_improved_within_all_of_them(seed: int, engine: str) -> None:
    """Breaks, range, reloads, returns, tariffs, carriers, depots, overtime, traffic: whichever turn up together."""
    problem = wishing(random_rich_problem(seed))
    plan = build(problem, iterations=15, seconds=2, engine=engine)
    assert violations(problem, plan) == []
    inserted = build(problem, engine="insertion")
    assert plan_cost(problem, plan, PLAIN).total <= plan_cost(problem, inserted, PLAIN).total
    standing = greedy_plan(problem).solution
    for mode in ("one_van", "three_vans", "fleet"):
        result = improve(problem, standing, mode=mode, solutions=15, seconds=2, policy=EAGER)
        assert violations(problem, result.solution, standing=standing) == []
        assert (result.mode, result.policy) == (mode, "plain")
        if result.applied:
            assert result.cost_after.total < result.cost_before.total


@pytest.mark.covers("O3")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_break_is_taken_inside_its_times_by_every_engine(engine: str) -> None:
    rest = Break(2 * HOUR, 3 * HOUR, 2700)
    people = tuple(stop(f"s{i}", i, service=1500) for i in range(1, 13))
    problem = Problem(0, (van(breaks=(rest,)),), people, {"car": line(*range(0, 65, 5))})
    plan = build(problem, iterations=30, seconds=2, engine=engine)
    assert not plan.unserved
    assert violations(problem, plan) == []
    assert len(plan.route["van"].breaks) == 1


@pytest.mark.covers("O2", "O13")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_small_range_and_a_small_hold_are_filled_up_at_the_depot(engine: str) -> None:
    """Six parcels, room for three, range for half of the way: one call at the depot in the middle serves them all."""
    people = tuple(stop(f"s{i}", i, load=Load(pieces=1)) for i in range(1, 7))
    call = Stop("call", 0, (DAY,), service=600, reload_of="van")
    metres = 2 * 30 * 60 * 10 + 1000  # there and back to the farthest, and not twice
    small = van(capacity=Load(10**9, 10**9, 3), range_metres=metres)
    problem = Problem(0, (small,), (*people, call), {"car": line(0, 26, 27, 28, 29, 30, 25)})
    plan = build(problem, iterations=30, seconds=2, engine=engine)
    assert not plan.unserved
    assert violations(problem, plan) == []
    assert "call" in plan.route["van"].stops


@pytest.mark.parametrize("engine", ENGINES)
def test_a_carrier_takes_what_is_dear_to_reach_and_nothing_else(engine: str) -> None:
    own = van(cost=Tariff(per_hour=3600))
    carrier = van("post", kind="carrier", cost=Tariff(per_stop=2000))
    people = (*(stop(f"near{i}", i) for i in range(1, 5)), stop("far", 5))
    problem = Problem(0, (own, carrier), people, {"car": line(0, 1, 2, 3, 4, 90)})
    plan = build(problem, iterations=30, seconds=2, engine=engine)
    assert plan.route["post"].stops == ("far",)
    assert len(plan.route["van"].stops) == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_what_matters_more_is_left_out_last(engine: str) -> None:
    people = tuple(stop(f"s{i}", i, service=1500, priority=10 if i > 5 else 0) for i in range(1, 9))
    problem = Problem(0, (van(shift_end=3 * HOUR),), people, {"car": line(*range(0, 45, 5))})
    plan = build(problem, iterations=30, seconds=2, engine=engine)
    assert plan.unserved
    assert not {"s6", "s7", "s8"} & set(plan.unserved)


@pytest.mark.covers("O12")
def test_an_order_that_the_rush_hour_breaks_is_not_applied() -> None:
    """The solver knows only mean speeds; what comes out is driven again hour by hour, and judged so."""
    for seed in range(4):
        problem = random_problem(seed, stops=24, vans=3)
        slow = TrafficTable((0,) * problem.travel["car"].size, ((1000, 1000, 400, 400, 1000, 1000, 300, 300, 1000),))
        problem = problem.replace(traffic={"car": slow})
        plan = greedy_plan(problem).solution
        result = improve(problem, plan, mode="fleet", solutions=30, seconds=3, policy=EAGER)
        assert violations(problem, result.solution, standing=plan) == []


@pytest.mark.covers("O5")
def test_changed_stops_only_leaves_the_order_of_the_others() -> None:
    problem = random_problem(4, stops=30, vans=3)
    plan = greedy_plan(problem).solution
    changed = [plan.routes[0].stops[0], plan.routes[1].stops[-1]]
    result = improve(problem, plan, mode="insertion", changed=changed, solutions=1, policy=EAGER)
    for route in result.solution.routes:
        before = [s for s in plan.route[route.vehicle].stops if s not in changed and s in route.stops]
        assert [s for s in route.stops if s not in changed] == before
    assert (result.mode, result.engine) == ("insertion", "insertion")
    assert result.cost_after.total <= result.cost_before.total


@pytest.mark.covers("O7")
def test_churn_counts_what_people_notice() -> None:
    problem = Problem(
        0, (van("one"), van("two")), tuple(stop(f"s{i}", i) for i in range(1, 6)), {"car": line(0, 10, 20, 30, 40, 50)}
    )
    before = planned(problem, one=["s1", "s2", "s3"], two=["s4", "s5"])
    after = planned(problem, one=["s3", "s1"], two=["s4", "s2", "s5"])
    assert reordered(before, after) == 1
    churn = churn_of(problem, before, after)
    assert (churn.vans_changed, churn.reordered) == (1, 1)
    assert churn.moved_over_10_min == 3  # s1, s2 and s3; s5 starts as it did


def test_a_search_around_vans_that_are_out_never_comes_back_dearer() -> None:
    """Pages show times: starting earlier moves people as much as starting later, which no bound of the model sees."""
    gains = 0
    for seed in (1, 3, 5):
        day = LivingDay(seed)
        for _ in range(12):
            day.step()
        shown = pairs(day.problem, day.plan, now=min(v.available for v in day.problem.vehicles))
        stops = tuple(s.replace(eta=tuple(shown[s.id])) if s.id in shown else s for s in day.problem.stops)
        problem = day.problem.replace(stops=stops)
        for mode in ("one_van", "three_vans", "fleet"):
            result = improve(problem, day.plan, mode=mode, solutions=20, seconds=3, policy=EAGER)
            assert result.cost_after.total <= result.cost_before.total
            gains += result.applied
    assert gains


@pytest.mark.covers("O8")
def test_a_change_that_fits_nowhere_is_made_possible_or_refused_for_good() -> None:
    """Whatever comes back breaks nothing for anybody, the changed stop included."""
    made, asked = 0, 0
    for seed in range(8):
        problem = random_problem(seed, stops=26, vans=2)
        plan = greedy_plan(problem).solution
        standing = Timetable.of(problem, plan)
        rng = np.random.default_rng(seed)
        for stop_id in list(plan.vehicle_of)[::4]:
            opens = int(rng.integers(0, 6 * HOUR))
            new = problem.stop[stop_id].replace(windows=((opens, opens + 1200),), promise=None)
            bare = standing.without(stop_id)
            if isinstance(best_insertion(bare, new), Insertion):
                continue
            asked += 1
            found = fit_in(bare, new, seconds=2, solutions=30)
            if isinstance(found, Repaired):
                made += 1
                wrong = violations(
                    found.problem,
                    found.solution,
                    standing=bare.solution,
                    standing_problem=bare.problem,
                    strict={stop_id},
                )
                assert wrong == []
                assert stop_id in found.solution.vehicle_of
    assert asked >= 5
    assert made >= 1


def test_what_no_van_may_bring_is_refused_at_once() -> None:
    problem = random_problem(1)
    bare = Timetable.of(problem, greedy_plan(problem).solution)
    answer = fit_in(bare, stop("new", 15, skills=frozenset({"magic"})), solutions=5)
    assert answer == Refusal(Reason.SKILLS)


@pytest.mark.covers("O7")
def test_the_quiet_place_moves_nobody_where_one_is_a_little_dearer() -> None:
    """The cheapest gap lies in front of everybody; at the end of the way it costs little more, and nobody notices."""
    people = tuple(stop(f"s{i}", i, service=900) for i in range(1, 5))
    problem = Problem(0, (van(),), people, {"car": line(0, 10, 11, 12, 13, 9)})
    standing = Timetable.of(problem, planned(problem, van=["s1", "s2", "s3", "s4"]))
    new = stop("new", 5, service=900)
    loud = calmest_insertion(standing, standing, new, policy=THRIFTY)
    quiet = calmest_insertion(standing, standing, new, policy=CALM)
    assert isinstance(loud, Insertion)
    assert isinstance(quiet, Insertion)
    assert loud == best_insertion(standing, new)
    assert quiet.position == 4
    after = starts(problem.with_stop(new), planned(problem, van=["s1", "s2", "s3", "s4", "new"]))
    assert after["s4"] == standing.times("s4").start


def test_the_calm_policy_holds_still_where_the_thrifty_one_saves() -> None:
    problem = random_problem(9, stops=30, vans=3)
    plan = greedy_plan(problem).solution
    thrifty = improve(problem, plan, mode="fleet", solutions=60, seconds=5, policy=THRIFTY)
    calm = improve(problem, plan, mode="fleet", solutions=60, seconds=5, policy=CALM)
    assert thrifty.applied
    assert (thrifty.policy, calm.policy) == ("thrifty", "calm")
    assert not calm.applied or calm.moved_over_10_min <= 1
    assert calm.reason in (Verdict.UNREST, Verdict.NO_GAIN, Verdict.BETTER, Verdict.REPAIRED)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_far_too_large_ends_in_time_and_names_what_is_left(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.routing.planner import building, parting

    monkeypatch.setattr(building, "MOST_AT_ONCE", 60)
    monkeypatch.setattr(parting, "PART", 50)
    problem = random_problem(2, stops=150, vans=6)
    plan = build(problem, seconds=2, engine=engine)
    assert violations(problem, plan) == []
    assert set(plan.vehicle_of) | set(plan.unserved) == {s.id for s in problem.stops}
    assert len(plan.vehicle_of) > 60


@pytest.mark.parametrize("seed", [3, 8])
def test_without_pyvrp_a_plain_day_is_far_better_than_plain_insertion_and_the_same_again(seed: int) -> None:
    """Loads, skills, windows and a limit on stops hold; nobody is left out whom the first answer served."""
    problem = random_problem(seed, stops=40, vans=5)
    vans = tuple(vehicle.replace(started=False, max_stops=12, profile="car") for vehicle in problem.vehicles)
    people = tuple(stop.replace(loaded_on=None, collects=False) for stop in problem.stops if len(stop.windows) == 1)
    problem = problem.replace(vehicles=vans, stops=people)
    assert ruining.expresses(problem, problem.stops)
    first = build(problem, engine="insertion")
    plan, again = (build(problem, iterations=6, engine="ortools") for _ in range(2))
    assert violations(problem, plan) == []
    assert plan.routes == again.routes
    assert len(plan.unserved) <= len(first.unserved)
    assert plan_cost(problem, plan, PLAIN).total < 0.97 * plan_cost(problem, first, PLAIN).total
