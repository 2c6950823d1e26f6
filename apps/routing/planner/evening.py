"""A day dealt out more evenly: stops go from van to van where that is worth its way under the policy.

The last step of a draft, whichever engine drew it: runs of neighbouring stops move to another van in use, each stop to
where it fits best there (`insertion`, so its times are exact), or change places with a run of it. What moves would
save is guessed for all of them at once (`evening_guesses`); the best guesses are made and weighed by the plan's real
cost, and the judge sees both routes before they stand. All moves together add at most `DEAREST` to the plan's cost.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from apps.routing.planner.check import violations
from apps.routing.planner.cost import plan_cost
from apps.routing.planner.evening_guesses import Guesser, Move
from apps.routing.planner.evenness import evenness, in_use
from apps.routing.planner.insertion import Insertion, Timetable, best_insertion
from apps.routing.planner.limits import Limit, Pace, Policy
from apps.routing.planner.problem import Problem
from apps.routing.planner.regroup import warm_plans
from apps.routing.planner.solution import Route, Solution

DEAREST: Final = 0.05
"""Part of the plan's cost that evening out may add to it."""

TRIES: Final = 400
"""Moves that are made for nothing, best guess first, before a plan counts as even."""

ROUNDS: Final = 6
"""Times that the vans which gave or took stops are re-ordered, each by itself; what that saves may be spent again."""

REORDER_SECONDS: Final = 0.15


def even_out(problem: Problem, plan: Solution, policy: Policy, pace: Pace) -> Solution:
    """The plan, or one that the policy likes better for how it shares the day; nobody is left out for it.

    The plan has to hold. Where only solutions count, not seconds, it ends where no move is left.
    """
    if not policy.evens or sum(in_use(problem, route) for route in plan.routes) < 2:
        return plan
    search = _Search(problem, plan, policy)
    for _round in range(ROUNDS):
        while not pace.over and search.step(pace):
            pace.tick(search.total)
        if not search.reorder(pace):
            break
    return plan if violations(problem, search.plan) else search.plan


class _Search:
    """A plan on its way to a more even one."""

    def __init__(self, problem: Problem, plan: Solution, policy: Policy) -> None:
        self.problem, self.policy = problem, policy
        self.plainly = dataclasses.replace(policy, overlap=0, uneven=0)
        self.timetable = Timetable.of(problem, plan)
        self.guesser = Guesser(problem, policy, [route for route in plan.routes if in_use(problem, route)])
        self.tried: set[tuple[Move, Route, Route]] = set()
        cost = plan_cost(problem, plan, self.plainly).total
        self.left, self.price = round(cost * DEAREST), evenness(problem, plan).price(policy)
        self.total = cost + self.price
        self.touched: set[str] = set()

    @property
    def plan(self) -> Solution:
        return self.timetable.solution

    def step(self, pace: Pace) -> bool:
        """Makes one move for the better; False when none is found."""
        tries = 0
        for move in self.guesser.moves():
            if pace.over or tries >= TRIES:
                return False
            if self._is_new(move):
                tries += 1
                if self._try(move):
                    return True
        return False

    def _is_new(self, move: Move) -> bool:
        """Whether it has not been tried between these two routes."""
        tables = self.timetable.tables
        key = move, tables[move.source].route, tables[move.target].route
        new = key not in self.tried
        self.tried.add(key)
        return new

    def _try(self, move: Move) -> bool:
        """Makes the move; False where something does not fit or it is no better."""
        found = self._made(move)
        return found is not None and self._take(found, move)

    def _made(self, move: Move) -> Timetable | None:
        """The plan after the move; None where something does not fit."""
        pair = self.timetable.only([move.source, move.target])
        for stop in (*move.stops, *move.back):
            pair = pair.without(stop)
        if not all(table.holds for table in pair.tables.values()):
            return None  # roads where the detour is the faster way
        for stops, van in ((move.stops, move.target), (move.back, move.source)):
            for stop in stops:
                lonely = self.problem.stop[stop].replace(merge_key="")
                answer = best_insertion(pair.only([van]), lonely)
                if not isinstance(answer, Insertion):
                    return None
                route = pair.tables[van].route.inserted(answer.position, stop)
                pair = pair.with_route(route if answer.breaks is None else route.replace(breaks=answer.breaks))
        return pair

    def _take(self, pair: Timetable, move: Move) -> bool:
        routes = list(pair.solution.routes)
        if not all(route.stops for route in routes) or not self._stands(routes):
            return False  # a driver without work is not what evening out is for
        self.touched |= {move.source, move.target}
        return True

    def reorder(self, pace: Pace) -> bool:
        """Looks for a better turn of the stops on each van that gave or took some; whether there was any."""
        found, vans = False, sorted(self.touched)
        self.touched.clear()
        for number, van in enumerate(vans):
            if pace.over:
                break
            share = min(REORDER_SECONDS, max(0.001, pace.left / (len(vans) - number)))
            limit = Limit(share, pace.limit.solutions)
            plans = warm_plans(self.problem, self.plan, [van], limit, self.plainly) or []
            found |= self._reordered(van, [plan.route[van] for plan in plans])
        return found

    def _reordered(self, van: str, routes: list[Route]) -> bool:
        """Takes the best of these routes with the van's own stops (a solver fetches others, too), if it is better."""
        own = sorted(self.timetable.tables[van].route.stops)
        same = [route for route in routes if sorted(route.stops) == own]
        costs = [plan_cost(self.problem, self.plan.with_route(route), self.plainly, [van]).total for route in same]
        return bool(same) and self._stands([same[costs.index(min(costs))]])

    def _stands(self, routes: list[Route]) -> bool:
        """Whether these routes stand from now on: the plan is better with them, not too dear, and right."""
        vans, found = [route.vehicle for route in routes], self.plan
        for route in routes:
            found = found.with_route(route)
        added = plan_cost(self.problem, found, self.plainly, vans).total
        added -= plan_cost(self.problem, self.plan, self.plainly, vans).total
        price = evenness(self.problem, found).price(self.policy)
        if added + price >= self.price or added > self.left:
            return False
        people = tuple(self.problem.stop[stop] for route in routes for stop in route.stops)
        if violations(self.problem.replace(stops=people), Solution(tuple(routes))):
            return False
        self.total += added + price - self.price
        self.left, self.price = self.left - added, price
        for route in routes:
            self.timetable = self.timetable.with_route(route)
        self.guesser.changed(routes)
        return True
