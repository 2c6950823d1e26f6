"""What a vehicle costs, as whole numbers that add up exactly.

Without any tariff in the problem the price is seconds: of driving on the free road, and of overtime. With tariffs it is
money, in units of 1/18,000 of a minor unit: the smallest in which seconds of an hour and metres of a kilometre are both
whole. A van without a tariff among priced ones costs `NOMINAL`, as nothing is free to who pays the driver.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from apps.routing.planner.problem import Problem, Tariff, Vehicle

PER_MINOR_UNIT: Final = 18_000
_PER_HOUR, _PER_KILOMETRE = PER_MINOR_UNIT // 3600, PER_MINOR_UNIT // 1000

NOMINAL: Final = Tariff(per_hour=3600)
"""36.00 an hour: a minor unit for each second of driving and serving."""

SPEED: Final = 10
"""Metres a second at which kilometres are turned into hours, to weigh money against lateness (36 km/h)."""


class Rates(NamedTuple):
    """Price per second of driving and of service, per metre, per stop, for the first stop, per second of overtime."""

    second: int
    service: int
    metre: int
    stop: int
    start: int
    overtime: int


BY_TIME: Final = Rates(second=1, service=0, metre=0, stop=0, start=0, overtime=1)


def rates(problem: Problem, vehicle: Vehicle) -> Rates:
    """The prices of one vehicle in this problem."""
    if not problem.priced:
        return BY_TIME
    cost = tariff(vehicle)
    second = cost.per_hour * _PER_HOUR
    return Rates(
        second=second,
        service=second,
        metre=cost.per_kilometre * _PER_KILOMETRE,
        stop=cost.per_stop * PER_MINOR_UNIT,
        start=cost.per_start * PER_MINOR_UNIT,
        overtime=cost.per_overtime_hour * _PER_HOUR,
    )


def tariff(vehicle: Vehicle) -> Tariff:
    """The vehicle's tariff, or the nominal one where nothing is said of its hours and kilometres."""
    if vehicle.is_carrier or vehicle.cost.per_hour or vehicle.cost.per_kilometre:
        return vehicle.cost
    rest = vehicle.cost
    return Tariff(rest.per_start, NOMINAL.per_hour, 0, rest.per_stop, rest.per_overtime_hour)


def units_per_second(problem: Problem) -> int:
    """What a second of driving is worth, so that a policy's seconds weigh money: the mean over the own vans."""
    if not problem.priced:
        return 1
    own = [rates(problem, vehicle) for vehicle in problem.vehicles if not vehicle.is_carrier]
    if not own:
        return PER_MINOR_UNIT
    return max(1, sum(rate.second + rate.metre * SPEED for rate in own) // len(own))


def minor_units(units: int) -> int:
    """Units of a priced problem in minor units of money, rounded to the nearest."""
    return (units + PER_MINOR_UNIT // 2) // PER_MINOR_UNIT
