"""How honest our arrival times were: forecasts of past stops held against the arrivals, by lead time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from apps.core import clock
from apps.routing.models import Forecast

DAYS = 28


@dataclass(frozen=True, slots=True)
class Lead:
    """Forecasts made so many minutes before. Errors in seconds, expected minus arrival; shares from 0 to 1."""

    minutes: int
    count: int
    mean_absolute_error: float
    median_absolute_error: float
    bias: float
    coverage: float
    """How many came between earliest and latest; eight in ten should."""
    width_minutes: float

    @property
    def is_honest(self) -> bool:
        return 0.75 <= self.coverage <= 0.9


def leads(*, since: datetime | None = None) -> list[Lead]:
    """One row per lead time for which stops were made since then (four weeks), longest first."""
    begins = since or clock.now() - timedelta(days=DAYS)
    rows = Forecast.objects.filter(made_at__gte=begins, visit__arrived_at__isnull=False).values_list(
        "lead_minutes", "earliest", "expected", "latest", "visit__arrived_at", "visit__actual__opens_at"
    )
    found: dict[int, list[tuple[float, bool, float]]] = {}
    for lead, earliest, expected, latest, arrived, opens in rows:
        assert arrived is not None
        # Service starts when the door opens: that is what was forecast.
        start = max(arrived, opens) if opens else arrived
        error = (expected - start).total_seconds()
        width = (latest - earliest).total_seconds() / 60
        found.setdefault(lead, []).append((error, earliest <= start <= latest, width))
    return [_lead(minutes, found[minutes]) for minutes in sorted(found, reverse=True)]


def _lead(minutes: int, rows: list[tuple[float, bool, float]]) -> Lead:
    errors = np.array([error for error, _inside, _width in rows])
    return Lead(
        minutes=minutes,
        count=len(rows),
        mean_absolute_error=float(np.abs(errors).mean()),
        median_absolute_error=float(np.median(np.abs(errors))),
        bias=float(errors.mean()),
        coverage=float(np.mean([inside for _error, inside, _width in rows])),
        width_minutes=float(np.median([width for _error, _inside, width in rows])),
    )
