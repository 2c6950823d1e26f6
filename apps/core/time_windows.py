"""A stretch of time with two ends, in UTC; shown in a delivery's zone."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class TimeWindow:
    """[earliest, latest], both aware datetimes in UTC."""

    earliest: datetime
    latest: datetime

    def __post_init__(self) -> None:
        if self.earliest.tzinfo is None or self.latest.tzinfo is None:
            raise ValueError("A time window needs aware datetimes.")
        if self.latest < self.earliest:
            raise ValueError("A time window must not end before it starts.")

    @property
    def width(self) -> timedelta:
        return self.latest - self.earliest

    def contains(self, instant: datetime) -> bool:
        return self.earliest <= instant <= self.latest

    def holds(self, other: "TimeWindow") -> bool:
        return self.earliest <= other.earliest and other.latest <= self.latest

    def overlap(self, other: "TimeWindow") -> "TimeWindow | None":
        earliest, latest = max(self.earliest, other.earliest), min(self.latest, other.latest)
        return TimeWindow(earliest, latest) if earliest <= latest else None
