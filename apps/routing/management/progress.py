"""What the planner's commands share: which day is meant, and a bar that shows how far a search is."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from apps.fleet.models import Depot

WIDTH = 32


class ProgressBar:
    """One line that is written over; nothing at all where nobody watches."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.shown = False

    def hear(self, part: float, best: int | None) -> bool:
        """`planner.limits.Hear`: draws how much is done; never asks for the end."""
        if not self.stream.isatty():
            return False
        done = round(WIDTH * part)
        cost = "" if best is None else f"  best {best}"
        self.stream.write(f"\r[{'#' * done}{'.' * (WIDTH - done)}] {part:4.0%}{cost}", ending="")
        self.shown = True
        return False

    def end(self) -> None:
        if self.shown:
            self.stream.write("")


def depot_and_day(options: Mapping[str, Any]) -> tuple[Depot, date]:
    """What --depot and --day name; a micro depot is planned with another. CommandError when they name nothing."""
    depot = Depot.objects.select_related("parent").filter(code=options["depot"]).first()
    if depot is None:
        raise CommandError(f"There is no depot {options['depot']!r}.")
    try:
        return depot.plans_with, date.fromisoformat(options["day"])
    except ValueError:
        raise CommandError(f"{options['day']!r} is not a day such as 2026-03-10.") from None
