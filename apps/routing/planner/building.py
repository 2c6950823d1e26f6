"""A day's plan from nothing: which engine draws it, what the judge strikes out of it, and where the rest still fits."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterable
from typing import Final, Literal

from apps.routing.planner import ruining
from apps.routing.planner.breaks import placed
from apps.routing.planner.check import violations
from apps.routing.planner.cost import left_out, plan_cost
from apps.routing.planner.evening import even_out
from apps.routing.planner.halves import whole_pairs
from apps.routing.planner.insertion import Refusal, Timetable, best_insertion
from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import PLAIN, Hear, Limit, Pace, Policy
from apps.routing.planner.parting import in_parts
from apps.routing.planner.polishing import polish
from apps.routing.planner.prices import rates, units_per_second
from apps.routing.planner.problem import Problem, Stop
from apps.routing.planner.second_wave import inserted
from apps.routing.planner.sheet import reloads_of, suitable
from apps.routing.planner.solution import Reason, Route, Solution
from apps.routing.planner.tails import tails
from apps.routing.planner.waving import with_waves

type Engine = Literal["auto", "pyvrp", "ortools", "insertion"]

MOST_AT_ONCE: Final = 2500
"""Stops that one solver model may hold; of a larger day each part is solved by itself."""

MOST_COLD: Final = 400
"""Stops that OR-Tools plans from nothing; with more, or where vans may come back for a second load, it goes over the
plan of plain insertion (and `waving`), which is better."""

SHORT_ROUTE: Final = 12
"""Stops of a route of which several make a piece (`polishing`)."""

RUINING: Final = 0.9
"""Part of the time for ruin and recreate where it knows every constraint; in the rest OR-Tools goes over its plan."""

EVENING: Final = 0.3
"""Part of the time for evening out, where the policy asks for it."""

_FIRST_ANSWER: Final = 0.7
"""Part of the time that must be left when plain insertion, the first answer, is done."""

_OVERTIME: Final = 0.1
"""Part of the time that completing a solver's plan may take beyond the limit."""


def build(
    problem: Problem,
    *,
    seconds: float | None = None,
    iterations: int | None = None,
    engine: Engine = "auto",
    policy: Policy = PLAIN,
    seed: int = 1,
    hear: Hear | None = None,
) -> Solution:
    """A plan from nothing. What cannot be served is named with its reason; it never breaks a window to serve one more.

    `auto` takes PyVRP where it is installed and no van has left, and OR-Tools goes over its plan with whatever PyVRP
    cannot express; else OR-Tools alone. A solver that was stopped too early may do worse than plain insertion; then the
    insertion's plan is returned. `hear` is told how far it is and may end it: then the best so far is the plan.
    A policy that minds how the vans share the day has the plan evened out in the last part of the time.
    """
    if not policy.evens:
        return _built(problem, seconds, iterations, engine, policy, seed, hear)
    plain = dataclasses.replace(policy, overlap=0, uneven=0)
    first = None if seconds is None else seconds * (1 - EVENING)
    plan = _built(problem, first, iterations, engine, plain, seed, hear)
    rest = None if seconds is None else seconds * EVENING
    return even_out(problem, plan, policy, Pace(Limit(rest, iterations or 1 if rest is None else iterations), hear))


def _built(
    problem: Problem,
    seconds: float | None,
    iterations: int | None,
    engine: Engine,
    policy: Policy,
    seed: int,
    hear: Hear | None,
) -> Solution:
    """The plan before it is evened out."""
    pace = Pace(Limit(seconds, iterations if engine != "insertion" else 1), hear)  # insertion needs no limit
    own = [vehicle for vehicle in problem.vehicles if not vehicle.is_carrier]
    stops = whole_pairs(stop for stop in problem.stops if not stop.is_reload and _possible(problem, stop))
    start = Timetable.of(problem, Solution())
    if engine == "insertion" or not own or not stops:
        return _complete(problem, start, pace, float("inf"))
    left = _FIRST_ANSWER if len(stops) <= MOST_AT_ONCE else 0.95
    inserted = _complete(problem, start, pace, -left * pace.seconds)
    plan = _drawn(problem, stops, inserted, policy, _choose(problem, engine), seed, pace)
    return min(plan, inserted, key=lambda plan: plan_cost(problem, plan, policy).total)


def _drawn(
    problem: Problem, stops: list[Stop], inserted: Solution, policy: Policy, engine: Engine, seed: int, pace: Pace
) -> Solution:
    """The solvers' plan, as far as the judge lets it stand, completed and gone over."""
    may_call = any(stop.is_reload for stop in problem.stops)
    if len(stops) > MOST_AT_ONCE:
        routes = in_parts(problem, stops, lambda part, share: _part(part, policy, engine, seed, pace, share), pace)
    elif engine == "ortools" and ruining.expresses(problem, stops):
        outside = outside_prices(problem, stops, policy)
        routes = ruining.build_ruining(problem, stops, inserted.routes, outside, pace, RUINING, seed)
    elif engine == "ortools" and (len(stops) > MOST_COLD or may_call):
        routes = list(inserted.routes)
    else:
        routes = _cold_routes(problem, stops, inserted, policy, engine, seed, pace)
    plan = with_waves(problem, _complete(problem, _sound(problem, routes), pace, _OVERTIME * pace.seconds), pace)
    if plan.unserved and may_call:  # there is room again where stops have left
        plan = _complete(problem, Timetable.of(problem, plan), pace, _OVERTIME * pace.seconds)
    if _all_said(problem, engine) or pace.over:
        return plan
    return polish(problem, plan, policy, pace, seed)


def _part(problem: Problem, policy: Policy, engine: Engine, seed: int, pace: Pace, seconds: float) -> list[Route]:
    """A part of a day that is too large for one model, within the part's own share of the time."""
    iterations = pace.limit.solutions
    plan = build(
        problem,
        seconds=None if pace.limit.seconds is None else seconds,
        iterations=iterations,
        engine=engine,
        policy=policy,
        seed=seed,
        hear=lambda _fraction, _best: pace.tick(),
    )
    return list(plan.routes)


def _possible(problem: Problem, stop: Stop) -> bool:
    """Whether it makes sense to show the stop to a solver at all."""
    return bool(permitted(stop)) and any(suitable(vehicle, stop) for vehicle in problem.vehicles)


def _choose(problem: Problem, engine: Engine) -> Engine:
    if engine != "auto":
        return engine
    if importlib.util.find_spec("pyvrp") is None:
        return "ortools"
    from apps.routing.planner import pyvrp_model

    return "pyvrp" if pyvrp_model.suits(problem) else "ortools"


def _all_said(problem: Problem, engine: Engine) -> bool:
    """Whether the engine's plan needs nobody to go over it."""
    if engine != "pyvrp":
        return False
    from apps.routing.planner import pyvrp_model

    return pyvrp_model.expresses(problem)


def _cold_routes(
    problem: Problem, stops: list[Stop], inserted: Solution, policy: Policy, engine: Engine, seed: int, pace: Pace
) -> list[Route]:
    """Orders of stops for the own vans. What OR-Tools goes over afterwards leaves it time for that."""
    outside = outside_prices(problem, stops, policy)
    if engine == "pyvrp":
        from apps.routing.planner import pyvrp_model

        part = 1.0 if pyvrp_model.expresses(problem) else 0.5
        # what must be served makes a quicker search than what pays to be served, where it is known to be possible
        required = not inserted.unserved and not any(vehicle.is_carrier for vehicle in problem.vehicles)
        alone = [stop for stop in stops if not stop.pair]  # pairs are put in by insertion, and OR-Tools knows them
        return pyvrp_model.build_cold(problem, alone, None if required else outside, pace, part, seed)
    from apps.routing.planner import ortools_model

    vans = [vehicle.id for vehicle in problem.vehicles if not vehicle.is_carrier]
    extra = (*(stop.id for stop in stops), *(stop.id for stop in reloads_of(problem, vans)))
    task = ortools_model.Task(problem, tails(problem, Solution(), vans), extra, policy, outside)
    found = ortools_model.build_cold(task, pace.rest(_part_at_once(stops, inserted)), pace.tick)
    return [] if found is None else [Route(van, order) for van, order in zip(vans, found, strict=True)]


def _part_at_once(stops: list[Stop], inserted: Solution) -> float:
    """The part of the time in which OR-Tools looks at all routes at once; in the rest it goes over them in pieces.

    Short routes gain most in pieces; of long ones a piece is a whole model again, and the first search is the better.
    """
    used = sum(bool(route.stops) for route in inserted.routes)
    return 0.4 if len(stops) <= SHORT_ROUTE * used else 0.95


def outside_prices(problem: Problem, stops: Iterable[Stop], policy: Policy) -> dict[str, int]:
    """What each stop costs, in seconds of driving, if none of the own vans serves it: a carrier, or leaving it out."""
    carriers = [vehicle for vehicle in problem.vehicles if vehicle.is_carrier]
    unit = units_per_second(problem)
    found: dict[str, int] = {}
    for stop in stops:
        windows = permitted(stop)
        able = [c for c in carriers if windows and suitable(c, stop) and c.available <= windows[-1][1]]
        handed = [rates(problem, carrier).stop // unit for carrier in able]
        found[stop.id] = min([left_out(policy, stop), *handed])
    return found


def _sound(problem: Problem, routes: Iterable[Route]) -> Timetable:
    """The routes as a timetable; from a route that breaks anything, the stops that do are taken out."""
    timetable = Timetable.of(problem, Solution())
    for route in routes:
        timetable = timetable.with_route(_kept(problem, route))
    return timetable


def _kept(problem: Problem, route: Route) -> Route:
    """The route without the stops that the checker finds wrong, taken out one by one; its breaks are placed."""
    while True:
        rested = placed(problem, route)
        alone = problem.replace(stops=tuple(problem.stop[stop] for stop in route.stops))
        wrong = violations(alone, Solution((rested,)))
        if not wrong:
            return rested
        culprit = next((violation.stop for violation in wrong if violation.stop), route.stops[-1])
        route = route.removed(culprit)


def _complete(problem: Problem, timetable: Timetable, pace: Pace, overtime: float) -> Solution:
    """Everything not yet served goes where it fits best, in order of closing; what fits nowhere is named.

    When the time is up by so many seconds (or so many are left, where it is negative), the rest is named at once.
    """
    bare = Timetable.of(problem, Solution())
    unserved: dict[str, Reason] = {}
    waiting = [stop for stop in problem.stops if not stop.is_reload and stop.id not in timetable.vehicle_of]
    for stop in sorted(waiting, key=_urgency):
        if stop.id in timetable.vehicle_of:  # came with its other half
            continue
        if pace.tick() or pace.left < -overtime:
            unserved[stop.id] = Reason.NOT_PLANNED
            continue
        found = inserted(timetable, stop.replace(merge_key=""))
        if isinstance(found, Timetable):
            timetable = found
        else:
            hopeless = best_insertion(bare, stop.replace(merge_key=""))
            unserved[stop.id] = hopeless.code if isinstance(hopeless, Refusal) and not stop.pair else found.code
    return timetable.solution.replace(unserved=unserved)


def _urgency(stop: Stop) -> tuple[int, int, str]:
    return -stop.priority, stop.windows[-1][1] if stop.windows else 0, stop.id
