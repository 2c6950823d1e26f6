"""The worked example of docs/planner.md, number by number: the page may not say what the planner does not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.routing.planner.check import violations
from apps.routing.planner.explain import Obstacle, explain_eta, explain_refusal
from apps.routing.planner.insertion import Insertion, Timetable, applied, apply, best_insertion, merged
from apps.routing.planner.problem import Break, Problem, Tariff
from apps.routing.planner.slots import offers
from apps.routing.planner.solution import Route, Solution
from tests.planner.instances import line, stop, van

MINUTE = 60
PAGE = Path("docs/planner.md").read_text()


def example() -> tuple[Problem, Solution]:
    """Anna, Ben and Cleo along one street; the driver rests half an hour between minute 20 and minute 45."""
    driver = van(
        shift_end=120 * MINUTE,
        breaks=(Break(20 * MINUTE, 45 * MINUTE, 30 * MINUTE),),
        cost=Tariff(per_hour=3600, per_kilometre=30),
        grams_co2e_per_kilometre=257,
    )
    day = (0, 120 * MINUTE)
    people = (stop("Anna", 1, day), stop("Ben", 2, (0, 25 * MINUTE)), stop("Cleo", 3, day))
    problem = Problem(0, (driver,), people, {"car": line(0, 10, 20, 30, 15)})
    return problem, Solution((Route("van", ("Anna", "Ben", "Cleo"), breaks=(2,)),))


def minutes(*seconds: int) -> list[int]:
    assert all(each % MINUTE == 0 for each in seconds)
    return [each // MINUTE for each in seconds]


def told(row: str) -> bool:
    """Whether the page has this row of its table, whatever the spaces."""
    return row.replace(" ", "") in PAGE.replace(" ", "")


def test_the_two_passes_are_as_the_page_draws_them() -> None:
    problem, plan = example()
    assert violations(problem, plan) == []
    table = Timetable.of(problem, plan).tables["van"]
    latest = minutes(*table.as_it_lies[1][1:])
    for stop_id, at, last in zip(table.route.stops, table.times, latest, strict=False):
        arrival, departure, limit = *minutes(at.arrival, at.departure), last
        assert told(f"| {stop_id} | {arrival} | {departure} | {limit} |")
    assert minutes(*table.driven.rests) == [24]
    assert told(f"| back | {minutes(table.back)[0]} | | {latest[-1]} |")


def test_dora_is_answered_as_the_page_says() -> None:
    problem, plan = example()
    timetable, dora = Timetable.of(problem, plan), stop("Dora", 4, (0, 120 * MINUTE))
    found = best_insertion(timetable, dora)
    assert isinstance(found, Insertion)
    assert (found.position, found.added_seconds, found.added_metres, found.breaks) == (1, 0, 0, (3,))
    assert minutes(found.start, found.slack) == [17, 1]
    assert (found.added_minor_units, found.added_grams_co2e, found.green) == (120, 0, True)
    assert violations(merged(problem, found, dora), apply(plan, found, dora), standing=plan) == []
    (moved,) = explain_eta(timetable, applied(timetable, found, dora), "Cleo")
    assert (moved.code, moved.stop, moved.seconds) == ("inserted", "Dora", 120)


@pytest.mark.parametrize(
    ("window", "row"),
    [
        ((10, 30), "| 10 to 30 | yes | 17 | 0 | 0 | 120 | 0 | tight green |"),
        ((60, 70), "| 60 to 70 | yes | 60 | 600 | 6000 | 900 | 1542 | |"),
        ((30, 40), "| 30 to 40 | yes | 30 | 600 | 6000 | 900 | 1542 | |"),
        ((20, 22), "| 20 to 22 | no | others | | | | | |"),
        ((90, 120), "| 90 to 120 | yes | 90 | 0 | 0 | 120 | 0 | green |"),
        ((0, 5), "| 0 to 5 | no | window | | | | | |"),
    ],
)
def test_each_slot_is_offered_as_the_page_says(window: tuple[int, int], row: str) -> None:
    problem, plan = example()
    dora = stop("Dora", 4, (0, 120 * MINUTE))
    asked = (window[0] * MINUTE, window[1] * MINUTE)
    (offer,) = offers({"day": Timetable.of(problem, plan)}, dora, {"day": [asked]})
    figures = (offer.added_seconds, offer.added_metres, offer.added_minor_units, offer.added_grams_co2e)
    said = f"| {window[0]} to {window[1]} |"
    if offer.feasible:
        marks = " ".join(name for name in ("tight", "green") if getattr(offer, name))
        said += f" yes | {minutes(offer.arrival)[0]} | " + " | ".join(map(str, figures)) + f" | {marks} |"
    else:
        said += f" no | {offer.reason} | | | | | |"
    assert said.replace(" ", "") == row.replace(" ", "")
    assert told(row)


def test_why_not_is_told_as_the_page_says() -> None:
    problem, plan = example()
    timetable = Timetable.of(problem, plan)
    early, late = stop("Dora", 4, (0, 5 * MINUTE)), stop("Dora", 4, (20 * MINUTE, 22 * MINUTE))
    assert explain_refusal(timetable, early) == [Obstacle("window", "van", 600, "seconds")]
    assert explain_refusal(timetable, late) == [Obstacle("others", "van", 120, "seconds", stop="Ben")]
    assert told("`window`, by 600 seconds")
    assert told("`others`, by 120 seconds, at Ben")
