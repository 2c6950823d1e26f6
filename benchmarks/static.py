"""How good a day's plan from nothing is, beside the peers: `python -m benchmarks.static --seconds 20 FILE... --json`.

Files are Solomon/Homberger tables or VRPLIB/ORTEC problems. Every engine gets the same seconds, one after another, each
in a process of its own. Cost is the distance in double precision, recomputed from the file; a plan counts only when
the benchmark's own check and the product's checker both accept it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from apps.routing.planner.check import violations
from apps.routing.planner.limits import Policy
from apps.routing.planner.solution import Route, Solution
from apps.routing.planner.solve import Engine, build
from benchmarks import peers
from benchmarks.instances import Instance, InstanceError, cost, faults, read
from benchmarks.peers import Plan

DAY_PLAN: Final = Policy(dropped=10**7)
"""Nobody is left out for being far away: instances count in units of their own."""

SPARE: Final = 60.0
"""Seconds beyond twice its limit after which an engine is given up."""


def ours(engine: Engine) -> Callable[[Instance, float], Plan]:
    def solve(instance: Instance, seconds: float) -> Plan:
        plan = build(instance.problem, seconds=seconds, engine=engine, policy=DAY_PLAN)
        return [[int(stop) for stop in route.stops] for route in plan.routes]

    return solve


ENGINES: Final[dict[str, Callable[[Instance, float], Plan | None]]] = {
    "product": ours("auto"),
    "ortools": ours("ortools"),
    "gls": peers.gls,
    "pyvrp": peers.pyvrp,
    "vroom": peers.vroom,
}


def measure(instance: Instance, engine: str, seconds: float) -> dict[str, Any]:
    """One engine on one problem: its cost (null unless the plan holds), vans, time and what is wrong."""
    if engine in ("gls", "pyvrp", "vroom") and not peers.installed(engine):
        return {"cost": None, "vehicles": None, "seconds": None, "feasible": False, "faults": ["not installed"]}
    plan, took = _in_a_process(instance, engine, seconds)
    wrong = ["no plan"] if plan is None else faults(instance, plan) + _checked(instance, plan)
    used = None if plan is None else sum(bool(route) for route in plan)
    return {
        "cost": None if wrong or plan is None else round(cost(instance, plan), 2),
        "vehicles": used,
        "seconds": took,
        "feasible": not wrong,
        "faults": wrong[:3],
    }


def _checked(instance: Instance, plan: Plan) -> list[str]:
    """What the product's checker says of anybody's plan."""
    if len(plan) > instance.vehicles:
        return ["too many vans"]
    routes = tuple(Route(f"van{n}", tuple(map(str, route))) for n, route in enumerate(plan))
    return [violation.code.value for violation in violations(instance.problem, Solution(routes))]


def _in_a_process(instance: Instance, engine: str, seconds: float) -> tuple[Plan | None, float | None]:
    """The engine's plan and its wall time, the import of its library not counted; nothing when it overruns badly."""
    context = multiprocessing.get_context("fork")  # this process has loaded no solver yet
    ours_end, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, instance, engine, seconds))
    process.start()
    theirs.close()
    try:
        if not ours_end.poll(2 * seconds + SPARE):
            return None, None
        found: tuple[Plan | None, float] = ours_end.recv()
        return found
    except EOFError:
        return None, None
    finally:
        process.kill()
        process.join()


def _run(pipe: Connection, instance: Instance, engine: str, seconds: float) -> None:
    _import(engine)
    _ = instance.whole, instance.problem
    began = time.perf_counter()
    plan = ENGINES[engine](instance, seconds)
    pipe.send((plan, round(time.perf_counter() - began, 2)))


def _import(engine: str) -> None:
    if engine in ("product", "pyvrp") and peers.installed("pyvrp"):
        import pyvrp  # noqa: F401
    if engine in ("product", "ortools", "gls"):
        from ortools.constraint_solver import pywrapcp  # noqa: F401
    if engine == "vroom":
        import vroom  # noqa: F401


def report(instance: Instance, best_known: float | None, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One file's figures under the engines' names."""
    costs = {engine: one["cost"] for engine, one in found.items()}
    known = [value for value in costs.values() if value is not None]
    reference = best_known if best_known is not None else min(known, default=None)
    line: dict[str, Any] = {
        "name": instance.name,
        "customers": len(instance.customers),
        "best_known": best_known,
        "gap_to": "best_known" if best_known is not None else "best_of_this_run",
    }
    line |= {f"{engine}_cost": value for engine, value in costs.items()}
    line |= {f"{engine}_gap_percent": _gap(value, reference) for engine, value in costs.items()}
    line |= {f"{engine}_vehicles": one["vehicles"] for engine, one in found.items()}
    line |= {f"{engine}_seconds": one["seconds"] for engine, one in found.items()}
    line["feasible"] = {engine: one["feasible"] for engine, one in found.items()}
    line["faults"] = {engine: one["faults"] for engine, one in found.items() if one["faults"]}
    return line


def _gap(value: float | None, reference: float | None) -> float | None:
    return None if value is None or not reference else round(100 * (value - reference) / reference, 3)


def means(lines: Sequence[dict[str, Any]], engines: Sequence[str]) -> dict[str, Any]:
    """Mean gaps over the files that every engine with any plan at all solved, and over each engine's own."""
    found: dict[str, Any] = {"files": len(lines)}
    present = [engine for engine in engines if any(line[f"{engine}_cost"] is not None for line in lines)]
    common = [line for line in lines if all(line[f"{engine}_gap_percent"] is not None for engine in present)]
    found["files_solved_by_all"] = len(common)
    for engine in engines:
        gaps = [line[f"{engine}_gap_percent"] for line in lines if line[f"{engine}_gap_percent"] is not None]
        shared = [line[f"{engine}_gap_percent"] for line in common] if engine in present else []
        vans = [line[f"{engine}_vehicles"] for line in lines if line["feasible"][engine]]
        found[f"{engine}_gap_percent"] = _mean(gaps)
        found[f"{engine}_gap_percent_common"] = _mean(shared)
        found[f"{engine}_vehicles"] = _mean(vans)
        found[f"{engine}_feasible"] = len(gaps)
    return found


def _mean(values: Sequence[float]) -> float | None:
    return round(statistics.fmean(values), 3) if values else None


def sample(paths: Sequence[Path], count: int | None) -> list[Path]:
    """So many of the files, evenly spread over their sorted names: the same ones every time."""
    ordered = sorted(dict.fromkeys(paths))
    if count is None or count >= len(ordered):
        return ordered
    return [ordered[(2 * number + 1) * len(ordered) // (2 * count)] for number in range(count)]


def best_known(path: Path | None) -> dict[str, float]:
    """Costs by name in capitals. Of a name and `NAME_distance` the latter counts: nobody here pays for vans."""
    if path is None:
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        costs = {
            name.upper(): float(value["best_known_cost"] if isinstance(value, dict) else value)
            for name, value in known.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InstanceError(path, f"holds no best known costs ({error})") from error
    return costs | {name.removesuffix("_DISTANCE"): cost for name, cost in costs.items() if name.endswith("_DISTANCE")}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="Solomon, Homberger or VRPLIB files")
    parser.add_argument("--seconds", type=float, default=20.0, help="for every engine and file")
    parser.add_argument("--best", type=Path, help="JSON of best known costs by name")
    parser.add_argument("--files", type=int, help="a sample of so many files, the same every time")
    parser.add_argument("--engines", default=",".join(ENGINES), help="a selection, separated by commas")
    parser.add_argument("--json", action="store_true", help="as by default: one JSON object on standard output")
    parser.add_argument("--table", action="store_true", help="a table to read instead")
    arguments = parser.parse_args()
    arguments.engines = arguments.engines.split(",")
    if unknown := set(arguments.engines) - set(ENGINES):
        parser.error(f"unknown engines: {', '.join(sorted(unknown))}")
    if not 0 < arguments.seconds <= 3600 or (arguments.files is not None and arguments.files < 1):
        parser.error("--seconds must lie within 0..3600 and --files must be at least 1")
    return arguments


def main() -> None:
    arguments = _arguments()
    try:
        known = best_known(arguments.best)
        chosen = [(path, read(path)) for path in sample(arguments.paths, arguments.files)]
    except InstanceError as error:
        raise SystemExit(f"error: {error}") from error
    lines = []
    for path, instance in chosen:
        found = {engine: measure(instance, engine, arguments.seconds) for engine in arguments.engines}
        best = known.get(instance.name.upper(), known.get(path.stem.upper()))
        lines.append(report(instance, best, found))
        print(_summary(lines[-1], arguments.engines), file=sys.stderr)
    whole = {
        "benchmark": "static",
        "seconds": arguments.seconds,
        "engines": arguments.engines,
        "files": lines,
        "means": means(lines, arguments.engines),
    }
    print(_table(whole["means"]) if arguments.table else json.dumps(whole, indent=2))


def _summary(line: dict[str, Any], engines: Sequence[str]) -> str:
    gaps = "  ".join(f"{engine} {line[f'{engine}_gap_percent']}" for engine in engines)
    return f"{line['name']:24} {gaps}"


def _table(values: dict[str, Any]) -> str:
    return "\n".join(f"{name:28} {value}" for name, value in values.items())


if __name__ == "__main__":
    main()
