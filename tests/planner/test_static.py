"""The benchmark on published problems: reads both forms, judges in double precision, says what is wrong with a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from apps.routing.planner.check import violations
from apps.routing.planner.solution import Route, Solution
from apps.routing.planner.worker import ROOT
from benchmarks.instances import Instance, InstanceError, cost, faults, read
from benchmarks.static import best_known, means, report, sample

SOLOMON = """TINY

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE TIME

    0      0          0          0          0        100          0
    1      3          4          4          0         50         10
    2      6          8          4         20         60         10
    3      1          1          4          0         90         10
"""
VRPLIB = """NAME : asym
TYPE : VRPTW
DIMENSION : 3
VEHICLES : 1
CAPACITY : 5
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : FULL_MATRIX
EDGE_WEIGHT_SECTION
0 10 20
11 0 5
21 9 0
DEMAND_SECTION
1 0
2 2
3 3
SERVICE_TIME_SECTION
1 0
2 4
3 4
TIME_WINDOW_SECTION
1 0 100
2 0 50
3 0 60
DEPOT_SECTION
1
-1
EOF
"""


def saved(folder: Path, text: str, name: str = "tiny.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def solomon(tmp_path: Path) -> Instance:
    return read(saved(tmp_path, SOLOMON))


def test_a_solomon_table_is_read_in_double_precision(solomon: Instance) -> None:
    assert (solomon.name, solomon.vehicles, solomon.capacity, list(solomon.customers)) == ("TINY", 2, 10, [1, 2, 3])
    assert solomon.distance[0, 3] == pytest.approx(2**0.5, abs=1e-12)
    assert cost(solomon, [[1, 2], [3]]) == pytest.approx(20 + 2 * 2**0.5)
    assert faults(solomon, [[1, 2], [3]]) == []


def test_a_vrplib_matrix_keeps_its_direction(tmp_path: Path) -> None:
    instance = read(saved(tmp_path, VRPLIB))
    assert cost(instance, [[1, 2]]) == 10 + 5 + 21
    assert cost(instance, [[2, 1]]) == 20 + 9 + 11
    assert instance.whole.scale == 1
    assert faults(instance, [[1, 2]]) == []


def test_every_fault_of_a_plan_is_named(solomon: Instance) -> None:
    assert faults(solomon, [[1, 2, 3]]) == ["more than the van carries"]
    assert faults(solomon, [[1], [2]]) == ["not everybody is served once"]
    assert faults(solomon, [[1], [2], [3]]) == ["3 vans instead of 2"]
    late = Instance(**{**solomon.__dict__, "closes": [100.0, 4.99, 60.0, 90.0]})
    assert faults(late, [[1], [2, 3]]) == ["too late at 1"]


def test_whole_numbers_forbid_what_is_too_late_and_allow_what_is_just_in_time(solomon: Instance) -> None:
    """Customer 1 lies exactly five away; customer 3 the square root of two."""
    for closes, holds in ((5.0, True), (4.999, False)):
        instance = Instance(**{**solomon.__dict__, "closes": [100.0, closes, 60.0, 90.0]})
        plan = Solution((Route("van0", ("1", "2")), Route("van1", ("3",))))
        assert (violations(instance.problem, plan) == []) is holds
        assert (faults(instance, [[1, 2], [3]]) == []) is holds
    just = Instance(**{**solomon.__dict__, "closes": [100.0, 50.0, 60.0, 2**0.5 + 1e-3]})
    assert violations(just.problem, Solution((Route("van0", ("1", "2")), Route("van1", ("3",))))) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither a Solomon nor a VRPLIB"),
        ("hello\nworld\n", "neither a Solomon nor a VRPLIB"),
        (SOLOMON.replace("    2      6", "    7      6"), "customer 2"),
        (SOLOMON.replace("6          8", "6          x"), "neither"),
        (SOLOMON.replace("20         60", "80         60"), "never opens"),
        (SOLOMON.replace("6          8", "nan        8"), "bad distance"),
        (SOLOMON.replace("  2         10", "  0         10"), "no vehicles"),
        (VRPLIB.replace("21 9 0", "21 9"), "8 numbers instead of 9"),
        (VRPLIB.replace("FULL_MATRIX", "LOWER_ROW"), "not supported"),
        (VRPLIB.replace("TIME_WINDOW_SECTION", "NOTHING_SECTION"), "has no TIME_WINDOW_SECTION"),
        (VRPLIB.replace("0 10 20", "0 -10 20"), "bad distance"),
    ],
)
def test_a_malformed_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InstanceError, match=said) as caught:
        read(saved(tmp_path, text))
    assert "tiny.txt" in str(caught.value)


def test_the_distance_record_counts_where_there_are_two(tmp_path: Path) -> None:
    path = saved(tmp_path, json.dumps({"R1": {"best_known_cost": 9}, "R1_distance": {"best_known_cost": 8}, "x": 5}))
    assert best_known(path) == {"R1": 8.0, "R1_DISTANCE": 8.0, "X": 5.0}
    with pytest.raises(InstanceError):
        best_known(saved(tmp_path, "[1]", "bad.json"))


def test_a_sample_is_the_same_every_time_and_spread_out() -> None:
    paths = [Path(f"{number:03}.txt") for number in range(60)]
    chosen = sample(paths[::-1], 6)
    assert chosen == sample(paths, 6) == [paths[5], paths[15], paths[25], paths[35], paths[45], paths[55]]
    assert sample(paths, None) == sample(paths, 100) == paths


def test_a_plan_that_does_not_hold_has_no_cost_and_spoils_no_mean(solomon: Instance) -> None:
    good = {"cost": 22.0, "vehicles": 2, "seconds": 1.0, "feasible": True, "faults": []}
    bad = {"cost": None, "vehicles": 2, "seconds": 1.0, "feasible": False, "faults": ["too late at 1"]}
    lines = [
        report(solomon, 20.0, {"product": good, "gls": good}),
        report(solomon, 20.0, {"product": good, "gls": bad}),
    ]
    assert lines[1]["gls_cost"] is None
    assert lines[1]["product_gap_percent"] == 10.0
    whole = means(lines, ["product", "gls"])
    assert (whole["gls_feasible"], whole["files_solved_by_all"], whole["product_gap_percent"]) == (1, 1, 10.0)


@pytest.mark.planner
def test_every_engine_runs_and_reports(tmp_path: Path) -> None:
    files = [str(saved(tmp_path, SOLOMON)), str(saved(tmp_path, VRPLIB, "asym.txt"))]
    command = [sys.executable, "-m", "benchmarks.static", "--seconds", "0.5", "--json", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    whole = json.loads(done.stdout)
    assert [line["name"] for line in whole["files"]] == ["asym", "TINY"]
    for line in whole["files"]:
        for engine in ("product", "ortools", "gls", "pyvrp", "vroom"):
            assert line["feasible"][engine], (engine, line["faults"])
            assert line[f"{engine}_gap_percent"] == 0.0


@pytest.mark.planner
def test_a_bad_file_ends_the_run_with_a_clear_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.static", str(saved(tmp_path, "nothing"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
