"""Building and improving: every engine's plan passes the judge, and only what is worth it is applied."""

from __future__ import annotations

import subprocess
import sys

import pytest

from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.insertion import Insertion, Timetable, apply, least_late
from apps.routing.planner.limits import PLAIN, Limit, Policy
from apps.routing.planner.problem import Problem, ProblemError
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.solve import Verdict, build, improve
from apps.routing.planner.travel import UNREACHABLE, Travel
from apps.routing.planner.worker import ROOT
from tests.planner.instances import (
    HOUR,
    greedy_plan,
    line,
    planned,
    random_problem,
    stop,
    three_on_a_street,
    travel_of,
    van,
)
from tests.planner.test_insertion import under_way

pytestmark = pytest.mark.planner
EAGER = Policy(worth=1, worth_per_moved=0, most_moved=10**6)


@pytest.mark.covers("O1")
@pytest.mark.parametrize("engine", ["insertion", "ortools", "pyvrp"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_engine_builds_a_plan_that_passes_the_judge(engine: str, seed: int) -> None:
    """Several windows, promises, skills, zones, capacity and two profiles."""
    problem = random_problem(seed, stops=30, vans=4)
    plan = build(problem, iterations=60, seconds=5, engine=engine)
    assert violations(problem, plan) == []
    inserted = build(problem, engine="insertion")
    assert plan_cost(problem, plan, PLAIN).total <= plan_cost(problem, inserted, PLAIN).total


@pytest.mark.covers("O15")
def test_what_cannot_be_served_is_named_with_its_reason() -> None:
    seconds = line(0, 10, 20, 30, 40).seconds.copy()
    seconds[:4, 4] = UNREACHABLE
    problem = Problem(
        0,
        (van(),),
        (
            stop("fine", 1),
            stop("closed", 2).replace(windows=()),
            stop("too early", 3, (0, 60)),
            stop("needs a lift", 1, skills=frozenset({"lift"})),
            stop("on a ghost", 1, loaded_on="ghost"),
            stop("island", 4),
        ),
        {"car": travel_of(seconds)},
    )
    for engine in ("ortools", "pyvrp"):
        plan = build(problem, iterations=5, seconds=1, engine=engine)
        assert plan.route["van"].stops == ("fine",)
        assert plan.unserved == {
            "closed": Reason.CLOSED,
            "too early": Reason.WINDOW,
            "needs a lift": Reason.SKILLS,
            "on a ghost": Reason.NO_VEHICLE,
            "island": Reason.UNREACHABLE,
        }


def test_a_day_without_vans_names_every_stop() -> None:
    problem = Problem(0, (), (stop("a", 1),), {"car": line(0, 10)})
    assert build(problem, iterations=5).unserved == {"a": Reason.NO_VEHICLE}


def test_too_many_stops_for_the_shift_are_left_out_and_named() -> None:
    problem = Problem(
        0, (van(shift_end=HOUR),), tuple(stop(f"s{i}", i) for i in range(1, 9)), {"car": line(*range(0, 90, 10))}
    )
    plan = build(problem, iterations=10, seconds=1)
    assert violations(problem, plan) == []
    assert plan.route["van"].stops
    assert set(plan.unserved.values()) == {Reason.OTHERS}


def zigzag() -> tuple[Problem, Solution]:
    """One van that drives to and fro on a street."""
    problem = Problem(
        0, (van(),), tuple(stop(f"s{i}", i) for i in range(1, 7)), {"car": line(0, 10, 20, 30, 40, 50, 60)}
    )
    return problem, planned(problem, van=["s1", "s4", "s2", "s5", "s3", "s6"])


def test_a_clear_gain_is_applied() -> None:
    problem, plan = zigzag()
    result = improve(problem, plan, touched=["van"], solutions=50, seconds=5)
    assert (result.applied, result.reason) == (True, Verdict.BETTER)
    assert result.cost_after.driving == 7200 < result.cost_before.driving
    assert violations(problem, result.solution, standing=plan) == []


@pytest.mark.covers("O7")
def test_a_gain_too_small_for_the_unrest_is_discarded() -> None:
    problem, plan = zigzag()
    calm = Policy(worth=300, worth_per_moved=10_000)
    result = improve(problem, plan, solutions=50, seconds=5, policy=calm)
    assert (result.applied, result.reason, result.solution) == (False, Verdict.UNREST, plan)
    assert result.moved_over_5_min > 0
    nobody = improve(problem, plan, solutions=50, seconds=5, policy=Policy(most_moved=0))
    assert nobody.reason == Verdict.UNREST


def test_what_the_pages_show_holds_the_plan_where_it_is() -> None:
    """With a price on moved times, the shorter order is not worth it any more."""
    problem, plan = zigzag()
    starts = Timetable.of(problem, plan)
    shown = problem.replace(
        stops=tuple(
            s.replace(eta=(starts.times(s.id).start - 300, starts.times(s.id).start + 300)) for s in problem.stops
        )
    )
    result = improve(shown, plan, solutions=50, seconds=5, policy=Policy(moved_per_minute=600))
    assert not result.applied
    assert result.solution == plan


def test_the_frozen_stops_stay_in_front() -> None:
    problem, plan = zigzag()
    held = plan.with_route(plan.route["van"].replace(frozen=2))
    result = improve(problem, held, solutions=50, seconds=5, policy=EAGER)
    assert result.applied
    assert result.solution.route["van"].stops[:2] == ("s1", "s4")


def test_lateness_is_repaired_first() -> None:
    """A stop that fits nowhere goes in where it is least late; the soft search then finds the order that holds."""
    problem = Problem(
        0,
        (van(),),
        (stop("a", 1), stop("b", 2), stop("c", 3, (0, 45 * 60))),
        {"car": line(0, 10, 20, 30, 35)},
    )
    plan = planned(problem, van=["a", "b", "c"])
    new = stop("new", 4, (0, 36 * 60))
    late = least_late(Timetable.of(problem, plan), new)
    assert isinstance(late, Insertion)
    assert late.late > 0
    whole, standing = problem.with_stop(new), apply(plan, late, new)
    result = improve(whole, standing, touched=["van"], solutions=50, seconds=5)
    assert (result.applied, result.reason) == (True, Verdict.REPAIRED)
    assert result.cost_after.late == 0
    assert violations(whole, result.solution, standing=standing) == []


@pytest.mark.parametrize("mode", ["one_van", "three_vans", "fleet"])
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_no_mode_breaks_anything(mode: str, seed: int) -> None:
    """Loaded, frozen and late vans: whatever is applied passes the judge."""
    problem = random_problem(seed, stops=30, vans=4)
    problem, plan = under_way(problem, greedy_plan(problem).solution, seed)
    result = improve(problem, plan, mode=mode, touched=["van0"], solutions=40, seconds=5, policy=EAGER)
    assert violations(problem, result.solution, standing=plan) == []
    assert result.applied == (result.reason in (Verdict.BETTER, Verdict.REPAIRED))
    aboard = {s.id for s in problem.stops if s.loaded_on == "van0"}
    assert aboard <= set(result.solution.route["van0"].stops)


def test_nothing_to_move_is_said() -> None:
    problem, plan = three_on_a_street()
    held = plan.with_route(Route("van", ("a", "b", "c"), frozen=3))
    assert improve(problem, held, solutions=5).reason == Verdict.NOTHING_TO_MOVE


def test_the_same_limit_of_solutions_gives_the_same_plan() -> None:
    problem = random_problem(21, stops=30, vans=3)
    plan = greedy_plan(problem).solution
    one, two = (improve(problem, plan, mode="fleet", solutions=30, policy=EAGER) for _ in range(2))
    assert one.solution == two.solution


@pytest.mark.parametrize(
    "make", [lambda: Limit(), lambda: Limit(seconds=0), lambda: Limit(solutions=0), lambda: Policy(worth=-1)]
)
def test_a_senseless_limit_or_policy_is_refused(make: object) -> None:
    with pytest.raises(ProblemError):
        make()  # type: ignore[operator]


def test_a_straight_line_plan_admits_it() -> None:
    problem, _ = three_on_a_street()
    roads = problem.travel["car"]
    assert problem.exact
    assert not problem.replace(travel={"car": Travel(roads.seconds, roads.metres, False)}).exact


def test_answering_loads_no_solver() -> None:
    """A web process that inserts and offers must not pay for OR-Tools."""
    code = "import sys, apps.routing.planner.slots, apps.routing.planner.solve\n"
    code += "print('ortools' in sys.modules, 'pyvrp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.covers("O7")
def test_three_vans_at_a_time_every_touched_van_is_looked_at() -> None:
    vans = tuple(van(f"v{number}") for number in range(1, 5))
    zigzag = ("s1", "s3", "s2", "s4")
    stops = tuple(stop(f"s{number}", number) for number in range(1, 8))
    problem = Problem(0, vans, stops, {"car": line(0, 20, 40, 60, 80, 3, 6, 9)})
    others = tuple(Route(one.id, (f"s{number}",)) for number, one in enumerate(vans[:3], start=5))
    standing = Solution((*others, Route("v4", zigzag)))
    touched = [one.id for one in vans]
    found = improve(problem, standing, mode="three_vans", touched=touched, seconds=2, solutions=40, policy=EAGER)
    assert found.applied
    assert found.solution.route["v4"].stops != zigzag
