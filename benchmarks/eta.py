"""How honest arrival times are: `python -m benchmarks.eta --seed N [--days 5] [--json]`.

A week of parcel days on the demo country. Vans drive the orders that the product's day planner gives them, through a
world (`eta_noise`) that imports no app. After each day the product's own estimators are fitted on the days that have
passed; behind two days of learning only, `--days` days are judged, beside the naive baseline: the plan shifted by what
the van is late now, where the plan's times are the road network's and the orders'. `baseline_flat_factors_mae_s` is the
same for a dispatcher who has set one average factor for all drives and one for all stops.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from apps.core.time_windows import TimeWindow
from apps.notifications.rules import promise_around
from apps.routing.planner.eta import EtaPair
from apps.routing.planner.narrowing import tell
from apps.routing.planner.quantiles import Honest
from apps.routing.planner.replay import Learned, Run, learn
from benchmarks.eta_live import Live, Naive
from benchmarks.eta_noise import World
from benchmarks.eta_week import Ground, VanDay, customers, drive_day, plan_day
from benchmarks.replan_day import Country

EXTRACT = Path("apps/demo/data/liechtenstein.osm.pbf")
ROADS = Path("var/benchmarks/roads")
LEADS = (60, 30, 10)
ADDRESSES = 1200
WARM_UP = 2
STRIDE_SECONDS = 300
MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)


@dataclass
class Tally:
    """What was forecast and what came true; seconds."""

    errors: dict[int, list[float]] = field(default_factory=lambda: {lead: [] for lead in LEADS})
    naive: dict[int, list[float]] = field(default_factory=lambda: {lead: [] for lead in LEADS})
    flat: dict[int, list[float]] = field(default_factory=lambda: {lead: [] for lead in LEADS})
    inside: dict[int, list[bool]] = field(default_factory=lambda: {lead: [] for lead in LEADS})
    shown: dict[int, list[bool]] = field(default_factory=lambda: {lead: [] for lead in LEADS})
    widths: dict[int, list[float]] = field(default_factory=lambda: {lead: [] for lead in LEADS})
    told: list[tuple[float, bool, bool, int]] = field(default_factory=list)
    """Minutes wide at departure, hit, last one hit, changes."""
    notices: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--fleets", type=int, default=4, help="each with a day plan of its own")
    parser.add_argument("--stops", type=int, default=300, help="per fleet and day")
    parser.add_argument("--plan-seconds", type=float, default=0.5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    began = time.perf_counter()
    report = week(arguments) | {"seconds": round(time.perf_counter() - began, 1)}
    print(json.dumps(report, indent=None if arguments.json else 2))


def week(arguments: argparse.Namespace) -> dict[str, Any]:
    rng = np.random.default_rng([arguments.seed, 7])
    ground = Ground.draw(Country.read(EXTRACT, ROADS), rng, ADDRESSES)
    world, tally, runs, learned = World(arguments.seed, ground.box), Tally(), list[Run](), Learned()
    for day in range(WARM_UP + arguments.days):
        vans = []
        for fleet in range(arguments.fleets):
            asked = customers(ground, world, rng, arguments.stops)
            plan = plan_day(ground, asked, learned.times, seconds=arguments.plan_seconds, seed=arguments.seed + day)
            vans += drive_day(ground, world, plan, day, f"fleet{fleet} ")
        if day >= WARM_UP:
            factors = flat(runs)
            for van in vans:
                judge(tally, Live(ground, world, van, learned), Naive(van), Naive(van, *factors))
        runs += [van.run for van in vans]
        if WARM_UP <= day + 1 < WARM_UP + arguments.days:
            learned = learn(runs)
    return report(arguments.seed, tally)


def flat(runs: list[Run]) -> tuple[float, float]:
    """What all legs and all stops took on average, as a careful dispatcher would set it."""
    stops = [stop for run in runs for stop in run.stops]
    road = sum(stop.arrived - stop.left_previous for stop in stops) / sum(stop.free for stop in stops)
    door = sum(stop.left - stop.start for stop in stops) / sum(stop.expected for stop in stops)
    return road, door


def judge(tally: Tally, live: Live, naive: Naive, flat_plan: Naive) -> None:
    stops = live.stops
    for number, stop in enumerate(stops):
        for lead in LEADS:
            now = stop.start - lead * 60
            if now < live.day.departed:
                continue
            first = live.at_stop(now)
            _at, honest = live.forecast(now, number)[number]
            tally.errors[lead].append(honest.expected - stop.start)
            tally.inside[lead].append(honest.earliest <= stop.start <= honest.latest)
            tally.naive[lead].append(naive.expected(number, first, now) - stop.start)
            tally.flat[lead].append(flat_plan.expected(number, first, now) - stop.start)
    _tell_day(tally, live)


def _tell_day(tally: Tally, live: Live) -> None:
    """What pages show and messages tell while the van is under way."""
    shown: dict[int, EtaPair] = {}
    history: dict[int, list[tuple[int, EtaPair]]] = {}
    told: dict[int, tuple[float, TimeWindow, TimeWindow, int]] = {}
    for now in _instants(live.day):
        for number, (_at, honest) in live.forecast(now).items():
            opens = live.day.customers[number].window[0]
            answer = tell(shown.get(number), EtaPair(honest.earliest, honest.latest), honest.expected, opens=opens)
            tally.notices += answer.notice
            shown[number] = answer.pair
            history.setdefault(number, []).append((now, answer.pair))
            told[number] = _promised(told.get(number), honest, live.day.customers[number].window)
    for number, stop in enumerate(live.stops):
        width, first, last, changes = told[number]
        tally.told.append((width, first.contains(_at_clock(stop.start)), last.contains(_at_clock(stop.start)), changes))
        for lead in LEADS:
            known = [pair for at, pair in history[number] if at <= stop.start - lead * 60]
            if known:
                tally.shown[lead].append(known[-1].earliest <= stop.start <= known[-1].latest)
                tally.widths[lead].append((known[-1].latest - known[-1].earliest) / 60)


def _instants(day: VanDay) -> Iterator[int]:
    """Whenever the product rolls forward: at every tap of the driver's, and now and then between them."""
    yield day.departed
    for stop in day.run.stops:
        yield from range(stop.left_previous + STRIDE_SECONDS, stop.arrived, STRIDE_SECONDS)
        if stop.arrived < stop.left:
            yield stop.arrived
        if stop is not day.run.stops[-1]:
            yield stop.left


def _promised(
    before: tuple[float, TimeWindow, TimeWindow, int] | None, honest: Honest, window: tuple[int, int]
) -> tuple[float, TimeWindow, TimeWindow, int]:
    """The promise as messages make it: told when the van leaves, again only when it no longer holds."""
    if before is not None and before[2].contains(_at_clock(honest.expected)):
        return before
    surest = TimeWindow(_at_clock(honest.surest_earliest), _at_clock(honest.surest_latest))
    agreed = TimeWindow(_at_clock(window[0]), _at_clock(window[1]))
    promise = promise_around(surest, agreed, ZoneInfo("UTC"))
    if before is None:
        return promise.width.total_seconds() / 60, promise, promise, 0
    return before[0], before[1], promise, before[3] + 1


def _at_clock(seconds: int) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


def report(seed: int, tally: Tally) -> dict[str, Any]:
    count = len(tally.told)
    return {
        "seed": seed,
        "lead_times": [_lead(tally, lead) for lead in LEADS],
        "told_window_hit_rate": round(sum(hit for _w, hit, _l, _c in tally.told) / count, 4),
        "last_told_window_hit_rate": round(sum(last for _w, _h, last, _c in tally.told) / count, 4),
        "told_window_width_median_minutes": statistics.median(width for width, *_rest in tally.told),
        "told_windows_changed_per_delivery": round(sum(told[3] for told in tally.told) / count, 4),
        "page_notices_per_delivery": round(tally.notices / count, 4),
        "deliveries": count,
    }


def _lead(tally: Tally, lead: int) -> dict[str, Any]:
    errors, naive, flat_plan = (np.array(found[lead]) for found in (tally.errors, tally.naive, tally.flat))
    return {
        "lead_minutes": lead,
        "n": len(errors),
        "mae_s": round(float(np.abs(errors).mean()), 1),
        "median_ae_s": round(float(np.median(np.abs(errors))), 1),
        "bias_s": round(float(errors.mean()), 1),
        "coverage_p10_p90": round(float(np.mean(tally.inside[lead])), 4),
        "baseline_mae_s": round(float(np.abs(naive).mean()), 1),
        "baseline_flat_factors_mae_s": round(float(np.abs(flat_plan).mean()), 1),
        "shown_coverage": round(float(np.mean(tally.shown[lead])), 4),
        "shown_width_median_minutes": statistics.median(tally.widths[lead]),
    }


if __name__ == "__main__":
    main()
