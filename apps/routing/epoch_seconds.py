"""Instants as whole seconds: in the database (rows then need no datetime parsing) and in the planner's terms."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Expression, Func, IntegerField, Value
from django.db.models.expressions import Combinable


class EpochSeconds(Func):
    """Whole seconds of a datetime column; a thousand of them cost a tenth of a thousand datetimes."""

    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint", **extra)


def seconds_of(column: str, epoch: int) -> Expression | Combinable:
    """Seconds of the column since the epoch (UTC posix seconds)."""
    return EpochSeconds(column) - Value(epoch)


def since(epoch: int, instant: datetime) -> int:
    """Whole seconds from the epoch (UTC posix seconds) to the instant."""
    return int(instant.timestamp()) - epoch


def instant(epoch: int, seconds: int) -> datetime:
    """The aware UTC datetime that lies so many seconds after the epoch."""
    return datetime.fromtimestamp(epoch + seconds, UTC)


def since_midnight(time_zone: str, day: date, second: int) -> int:
    """Seconds from the day's midnight until the clock there has run for `second`: others on a day it is changed."""
    midnight = datetime.combine(day, time(), ZoneInfo(time_zone))
    return int((midnight + timedelta(seconds=second)).timestamp()) - int(midnight.timestamp())
