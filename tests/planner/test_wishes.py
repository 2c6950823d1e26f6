"""What somebody would like best inside their window: weighed everywhere, and never a limit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.routing.planner.calm import calmest_insertion
from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost, starts
from apps.routing.planner.insertion import Insertion, Timetable, applied, best_insertion, join
from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import CALM, PLAIN, Policy
from apps.routing.planner.new_place import NewPlace, PlaceRows
from apps.routing.planner.problem import NEW_PLACE, Break, Problem, ProblemError, Stop
from apps.routing.planner.slots import offers
from apps.routing.planner.solution import Solution
from apps.routing.planner.solve import build, improve
from tests.planner.instances import DAY, HOUR, greedy_plan, line, planned, random_rich_problem, stop, van

pytestmark = pytest.mark.planner
EAGER = Policy(worth=1, worth_per_moved=0, most_moved=10**6)
EVENING, BACK = (7 * HOUR, 8 * HOUR), (6 * HOUR, 8 * HOUR)


def a_round() -> Timetable:
    """Out along the street in the morning, back along it at the end of the day: place 5 is passed by both times."""
    people = (stop("out", 1), stop("far", 2, (6 * HOUR, 7 * HOUR)), stop("back", 3, (7 * HOUR, 9 * HOUR)))
    problem = Problem(0, (van(),), people, {"car": line(0, 10, 40, 12, 11, 20)})
    return Timetable.of(problem, planned(problem, van=["out", "far", "back"]))


@pytest.mark.covers("O1")
def test_of_two_gaps_that_both_hold_the_wish_decides() -> None:
    timetable = a_round()
    new = stop("new", 5)
    plain, late = best_insertion(timetable, new), best_insertion(timetable, new.replace(wish=BACK))
    assert isinstance(plain, Insertion)
    assert isinstance(late, Insertion)
    assert (plain.position, late.position) == (1, 2)
    assert BACK[0] <= late.start <= BACK[1]
    assert (plain.added_seconds, late.added_seconds) == (0, 0)
    quiet = calmest_insertion(timetable, timetable, new.replace(wish=BACK))
    assert isinstance(quiet, Insertion)
    assert quiet.position == 2
    vain = best_insertion(timetable, new.replace(wish=(3 * HOUR, 3 * HOUR + 60)))  # nobody is near then, nobody waits
    assert isinstance(vain, Insertion)
    assert vain.added_seconds == 0


@pytest.mark.covers("O1")
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_choice_is_the_least_of_price_and_wish_over_every_place(seed: int) -> None:
    """Vans without breaks, brute force under the checker; a place in no matrix gets the same answer."""
    rng = np.random.default_rng(seed)
    problem = random_rich_problem(seed)
    problem = problem.replace(vehicles=tuple(one.replace(breaks=()) for one in problem.vehicles))
    timetable = greedy_plan(problem)
    opens = int(rng.integers(0, 7)) * HOUR
    new = stop("new", problem.travel["car"].size - 1, DAY, wish=(opens, opens + HOUR))
    found = best_insertion(timetable, new)
    prices = [cost for _plan, cost in every_place(timetable, new)]
    assert isinstance(found, Insertion) == bool(prices)
    if isinstance(found, Insertion):
        assert weighed(timetable, applied(timetable, found, new), new) == min(prices)
        where = NewPlace(range(1, 9), lambda profile, known: rows_of(problem, profile, known, new.location))
        again = where.best(timetable, new.replace(location=NEW_PLACE))
        assert isinstance(again, Insertion)
        assert (again.vehicle, again.position) == (found.vehicle, found.position)


def rows_of(problem: Problem, profile: str, known: list[int], there: int) -> PlaceRows:
    travel = problem.travel[profile]
    return PlaceRows(
        travel.seconds[known, there],
        travel.seconds[there, known],
        travel.metres[known, there],
        travel.metres[there, known],
    )


def weighed(before: Timetable, after: Timetable, new: Stop) -> int:
    """Units that the plan costs more, and what the newcomer's own wish costs, by the simulation of `cost`."""
    from apps.routing.planner.prices import units_per_second

    units = plan_cost(after.problem, after.solution, PLAIN).units
    units -= plan_cost(before.problem, before.solution, PLAIN).units
    assert new.wish is not None
    start = starts(after.problem, after.solution)[new.id]
    outside = max(0, new.wish[0] - start, start - new.wish[1])
    return units + outside * PLAIN.wish_per_minute * units_per_second(before.problem) // 60


def every_place(timetable: Timetable, new: Stop):
    problem = timetable.problem.with_stop(new)
    for table in timetable.tables.values():
        for position in range(table.route.frozen, len(table.stops) + 1):
            plan = timetable.solution.with_route(table.route.inserted(position, new.id))
            if not violations(problem, plan, standing=timetable.solution):
                after = Timetable.of(problem, plan)
                yield plan, weighed(timetable, after, new)


@pytest.mark.covers("O1")
@pytest.mark.parametrize("engine", ["ortools", "pyvrp", "insertion"])
def test_a_plan_comes_nearer_to_the_wishes_and_breaks_no_window(engine: str) -> None:
    """Twelve doors on a street, half of whom would like the other half's time; the checker is the judge."""
    people = tuple(
        stop(f"s{i}", i, service=1200, wish=(3 * HOUR, DAY[1]) if i % 2 else (0, 2 * HOUR)) for i in range(1, 11)
    )
    problem = Problem(0, (van(),), people, {"car": line(*range(0, 33, 3))})
    indifferent = problem.replace(stops=tuple(one.replace(wish=None) for one in people))
    plain = build(indifferent, iterations=10, seconds=2, engine=engine)
    wished = build(problem, iterations=10, seconds=2, engine=engine)
    assert violations(problem, wished) == []
    assert not wished.unserved
    assert plan_cost(problem, wished, PLAIN).wished < plan_cost(problem, plain, PLAIN).wished
    assert plan_cost(problem, wished, PLAIN).total < plan_cost(problem, plain, PLAIN).total


@pytest.mark.covers("O1")
def test_or_tools_turns_a_round_for_a_wish_that_is_worth_it_and_for_no_other() -> None:
    """Whoever stands first would like the end of the day. With a break the model does not know it; the judge does."""
    people = tuple(stop(f"s{i}", i, service=1500, wish=EVENING if i == 1 else None) for i in range(1, 7))
    problem = Problem(0, (van(),), people, {"car": line(0, 3, 6, 9, 12, 15, 18)})
    standing = planned(problem, van=[f"s{i}" for i in range(1, 7)])
    better = improve(problem, standing, solutions=30, seconds=3, policy=EAGER)
    assert better.applied
    assert violations(problem, better.solution, standing=standing) == []
    assert better.cost_after.wished < better.cost_before.wished
    assert better.cost_after.driving <= better.cost_before.driving + 1200
    free = dataclasses.replace(EAGER, wish_per_minute=0)
    assert not improve(problem, standing, solutions=30, seconds=3, policy=free).applied
    rested = problem.replace(vehicles=(van(breaks=(Break(2 * HOUR, 4 * HOUR, 1800),)),))
    held = improve(rested, standing, solutions=30, seconds=3, policy=EAGER)
    assert violations(rested, held.solution, standing=standing) == []
    assert held.cost_after.total <= held.cost_before.total


@pytest.mark.covers("O1")
def test_an_offer_is_as_it_was_without_a_wish_and_refuses_nothing_for_one() -> None:
    timetable = a_round()
    windows = {"today": [(opens * HOUR, (opens + 2) * HOUR) for opens in range(8)]}
    plain = offers({"today": timetable}, stop("new", 5), windows, standing={"today": timetable})
    wishing = offers({"today": timetable}, stop("new", 5, wish=EVENING), windows, standing={"today": timetable})
    assert [one.feasible for one in wishing] == [one.feasible for one in plain]
    away = [number for number, window in enumerate(windows["today"]) if window[1] < EVENING[0]]
    assert [wishing[number] for number in away] == [plain[number] for number in away]


@pytest.mark.covers("O1")
def test_a_wish_lies_inside_the_windows_or_is_none() -> None:
    one = stop("one", 1, (0, 4 * HOUR), (6 * HOUR, 8 * HOUR), wish=(HOUR, 7 * HOUR))
    with pytest.raises(ProblemError, match="wish"):
        stop("two", 1, (0, HOUR), wish=(0, 2 * HOUR))
    with pytest.raises(ProblemError, match="wish"):
        one.replace(wish=(2, 1))
    assert one.replace(windows=(DAY,)).wish == (HOUR, 7 * HOUR)
    assert one.replace(windows=((0, 4 * HOUR),)).wish is None
    both = join(stop("a", 1, merge_key="p", wish=(0, 2 * HOUR)), stop("b", 1, (HOUR, 9 * HOUR), wish=(HOUR, 3 * HOUR)))
    assert (permitted(both), both.wish) == (((HOUR, 9 * HOUR),), (HOUR, 2 * HOUR))
    assert CALM.wish_per_minute > 0
    assert plan_cost(Problem(0, (van(),), (one,), {"car": line(0, 1)}), Solution(), PLAIN).wished == 0
