"""A random day that lives: shoppers change things, vans drive on and run late, and every answer is held to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from apps.routing.planner.check import violations
from apps.routing.planner.eta import roll_forward
from apps.routing.planner.insertion import (
    Insertion,
    Refusal,
    Timetable,
    apply,
    best_insertion,
    change,
    merged,
    remove,
)
from apps.routing.planner.intervals import permitted
from apps.routing.planner.limits import Policy
from apps.routing.planner.new_place import PlaceRows, best_for_new_place
from apps.routing.planner.problem import NEW_PLACE, Problem, Stop
from apps.routing.planner.solution import Route, Solution
from apps.routing.planner.solve import Mode, improve
from apps.routing.planner.squeeze import squeeze
from tests.planner.instances import DAY, HOUR, greedy_plan, random_problem, random_stop, stop

EAGER = Policy(worth=1, worth_per_moved=0, most_moved=10**6)
SPARE = 30


class LivingDay:
    """Problem and standing plan, and how many asked and were answered yes or no."""

    def __init__(self, seed: int, *, vans: int = 4, stops: int = 46) -> None:
        self.rng = np.random.default_rng(seed)
        self.problem = random_problem(seed, vans=vans, stops=stops, spare=SPARE)
        self.plan = greedy_plan(self.problem).solution
        self.spare = list(range(stops + 1, stops + 1 + SPARE))
        self.point = self.spare.pop()
        self.said: Counter[str] = Counter()
        self.number = 0
        for van in self.problem.vehicles[:2]:
            self._set_out(van.id)

    @property
    def refused_share(self) -> float:
        asked = self.said["yes"] + self.said["no"]
        return self.said["no"] / asked if asked else 0.0

    def step(self) -> None:
        """One thing happens, chosen by chance; shoppers ask for harder things while few were refused."""
        happening = self.rng.choice(
            ["window", "place", "new_place", "new", "pick_up_point", "cancel", "drive_on"],
            p=[0.34, 0.12, 0.1, 0.16, 0.08, 0.08, 0.12],
        )
        getattr(self, f"_{happening}")()

    def solve(self, mode: Mode) -> None:
        """The planner improves what stands; whatever it applies is judged like any other change."""
        touched = [str(self.rng.choice([van.id for van in self.problem.vehicles]))]
        result = improve(self.problem, self.plan, mode=mode, touched=touched, solutions=15, seconds=5, policy=EAGER)
        self.said["applied" if result.applied else "left"] += 1
        self._stand(self.problem, result.solution, changed=set())

    # what happens -------------------------------------------------------------------------------------------------

    def _window(self) -> None:
        if asked := self._someone():
            self._answer(asked.replace(windows=self._wish(), promise=None))

    def _place(self) -> None:
        asked = self._someone()
        if asked and self.spare:
            self._answer(asked.replace(location=self.spare.pop(), windows=self._wish(), promise=None))

    def _new(self) -> None:
        """A delivery is added; some lie on a van that is out already, some need the lift."""
        if self.spare:
            self.number += 1
            new = random_stop(self.rng, f"new{self.number}", self.spare.pop()).replace(windows=self._wish())
            loaded = str(self.rng.choice(["van0", "van1"])) if self.rng.random() < 0.5 else None
            self._answer(new.replace(loaded_on=loaded, promise=None))

    def _new_place(self) -> None:
        """A change of place whose travel times nobody knows yet: asked for by bounded rows, then in the matrix."""
        asked = self._someone()
        if not (asked and self.spare):
            return
        place, wish = self.spare.pop(), self._wish()
        bare = remove(self._timetable(), asked.id)
        moved = asked.replace(location=NEW_PLACE, windows=wish, promise=None)
        nearest = np.argsort(self.problem.travel["car"].seconds[: place - SPARE, place], kind="stable").tolist()
        found = best_for_new_place(bare, moved, nearest, self._rows(place))
        self._take(found, moved.replace(location=place))

    def _pick_up_point(self) -> None:
        """The parcel goes to the shop, where it joins the stop of another one if it can."""
        asked = self._someone()
        if asked:
            at_shop = stop(asked.id, self.point, *self._wish(), merge_key="shop", per_parcel=30, load=asked.load)
            self._answer(at_shop.replace(loaded_on=asked.loaded_on, zone="town"))

    def _cancel(self) -> None:
        if asked := self._someone():
            bare = remove(self._timetable(), asked.id)
            self.said["cancelled"] += 1
            self._stand(self.problem.without_stop(asked.id), bare.solution, changed={asked.id})

    def _drive_on(self) -> None:
        """A van that is out finishes its next stop, not always when it was expected to."""
        out = [van for van in self.problem.vehicles if van.started and self.plan.route[van.id].stops]
        if not out:
            return
        van = out[int(self.rng.integers(len(out)))]
        route = self.plan.route[van.id]
        done, times = self.problem.stop[route.stops[0]], roll_forward(self.problem, route)[0]
        delay = int(self.rng.choice([-120, 0, 0, 300, 900]))
        left = max(times.start + 30, times.departure + delay)
        rest = route.stops[1:]
        moved = van.replace(start=done.location, available=left, first_arrival=None)
        vans = tuple(moved if other.id == van.id else other for other in self.problem.vehicles)
        self.problem = self.problem.without_stop(done.id).replace(vehicles=vans)
        self.plan = self.plan.with_route(Route(van.id, rest, min(2, len(rest))))
        self.said["driven"] += 1

    # how it is answered -------------------------------------------------------------------------------------------

    def _answer(self, asked: Stop) -> None:
        bare = self._timetable()
        if asked.id in self.plan.vehicle_of:
            bare, found = change(bare, asked)
        else:
            found = best_insertion(bare, asked)
        if isinstance(found, Refusal) and self.rng.random() < 0.5:
            self._make_room(bare, asked, found)
        else:
            self._take(found, asked)

    def _make_room(self, bare: Timetable, asked: Stop, refusal: Refusal) -> None:
        squeezed = squeeze(bare, asked, refusal)
        if isinstance(squeezed, Refusal):
            self._take(squeezed, asked)
            return
        self.said["yes"] += 1
        self.said["squeezed"] += 1
        after, plan = squeezed.timetable.problem, squeezed.timetable.solution
        changed = {van for van in plan.route if plan.route[van].stops != self.plan.route[van].stops}
        assert changed <= squeezed.vans | {self.plan.vehicle_of.get(asked.id, "")}
        self._stand(after, plan, changed={asked.id})

    def _take(self, found: Insertion | Refusal, asked: Stop) -> None:
        if isinstance(found, Refusal):
            self.said["no"] += 1
            self.said[found.code.value] += 1
            return
        self.said["yes"] += 1
        self.said["merged"] += found.merge_into is not None
        after, plan = merged(self.problem, found, asked), apply(self.plan, found, asked)
        if found.merge_into is None:
            assert plan.route[found.vehicle].stops[found.position] == asked.id
            start = roll_forward(after, plan.route[found.vehicle])[found.position].start
            assert start == found.start, "what was answered is what is driven"
        self._stand(after, plan, changed={asked.id, found.merge_into or asked.id})

    def _stand(self, problem: Problem, plan: Solution, *, changed: set[str]) -> None:
        """The new plan replaces the old one, after the judge and a second look at everybody else."""
        wrong = violations(problem, plan, standing=self.plan, standing_problem=self.problem, strict=changed)
        assert wrong == []
        was, now = _starts(self.problem, self.plan), _starts(problem, plan)
        for other, start in now.items():
            if other in changed or other not in was:
                continue
            allowed = permitted(self.problem.stop[other])
            held = any(opens <= start <= closes for opens, closes in allowed)
            assert held or start <= was[other], f"{other} was promised something else"
        for van in self.problem.vehicles:
            before, after = self.plan.route[van.id], plan.route[van.id]
            assert after.stops[: before.frozen] == before.stops[: before.frozen]
        for item in problem.stops:
            if item.loaded_on and item.id in plan.vehicle_of:
                assert plan.vehicle_of[item.id] == item.loaded_on
        assert set(was) - changed <= set(now), "nobody is dropped"
        self.problem, self.plan = problem, plan

    # odds and ends ------------------------------------------------------------------------------------------------

    def _timetable(self) -> Timetable:
        return Timetable.of(self.problem, self.plan)

    def _set_out(self, van_id: str) -> None:
        """The van leaves with all its parcels on board, perhaps late; its next two stops are frozen."""
        stops = self.plan.route[van_id].stops
        frozen = min(2, len(stops))
        late = int(self.rng.integers(0, 3)) * 600
        aboard = tuple(s.replace(loaded_on=van_id) if s.id in stops else s for s in self.problem.stops)
        vans = tuple(
            van.replace(
                started=True,
                available=van.available + late,
                first_arrival=van.available + late + 400 if frozen else None,
            )
            if van.id == van_id
            else van
            for van in self.problem.vehicles
        )
        self.problem = self.problem.replace(stops=aboard, vehicles=vans)
        self.plan = self.plan.with_route(Route(van_id, stops, frozen))

    def _someone(self) -> Stop | None:
        """Anybody whose stop may still change."""
        movable = [s for route in self.plan.routes for s in route.stops[route.frozen :]]
        return self.problem.stop[movable[int(self.rng.integers(len(movable)))]] if movable else None

    def _wish(self) -> tuple[tuple[int, int], ...]:
        if self.refused_share < 0.4:
            opens = int(self.rng.integers(0, 8 * HOUR))
            return ((opens, opens + int(self.rng.integers(60, 1200))),)
        if self.rng.random() < 0.5:
            return (DAY,)
        opens = int(self.rng.integers(2, 6)) * HOUR
        return ((opens, opens + 3 * HOUR),)

    def _rows(self, place: int):
        def rows(profile: str, locations: Sequence[int]) -> PlaceRows:
            full, there = self.problem.travel[profile], list(locations)
            return PlaceRows(
                full.seconds[there, place],
                full.seconds[place, there],
                full.metres[there, place],
                full.metres[place, there],
            )

        return rows


def _starts(problem: Problem, plan: Solution) -> dict[str, int]:
    found: dict[str, int] = {}
    for route in plan.routes:
        known = route.replace(stops=tuple(s for s in route.stops if s in problem.stop), frozen=0)
        if known.stops == route.stops:
            known = route
        found |= {s: at.start for s, at in zip(known.stops, roll_forward(problem, known), strict=True)}
    return found
