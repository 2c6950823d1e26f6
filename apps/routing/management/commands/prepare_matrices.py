"""Makes the travel matrices of the coming days, and makes damaged ones anew."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.core import clock
from apps.fleet.models import Depot
from apps.routing import roads
from apps.routing.planner.travel import RoadDataError
from apps.routing.planner.travel_matrix import MatrixFile
from apps.routing.services import prepare
from apps.routing.stops import zone_of


class Command(BaseCommand):
    help = "Makes the travel matrices of the coming days; damaged files are replaced."
    # The check of road data names this command as the cure.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=3, help="how many days from today")

    def handle(self, *args: Any, **options: Any) -> None:
        for file in sorted(Path(settings.MATRIX_DIR).glob("*/*/*.matrix")):
            self._check(file)
        roads.forget()
        for depot in Depot.objects.filter(parent=None).order_by("code"):
            today = clock.now().astimezone(zone_of(depot)).date()
            for offset in range(options["days"]):
                day = today + timedelta(days=offset)
                count = prepare(depot=depot, day=day)
                self.stdout.write(f"{depot.code} {day}: {count} places, by {roads.travel_source()}")

    def _check(self, file: Path) -> None:
        try:
            MatrixFile.open(file.parent, file.stem)
        except RoadDataError as error:
            self.stdout.write(f"{file} {error.detail}; it is made anew.")
            file.unlink(missing_ok=True)
