from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.routing.planner.travel import RoadDataError
from apps.routing.planner.travel_prepare import DRIVEN, PROFILES, prepare
from apps.routing.traffic_providers import segment_speed_files


class Command(BaseCommand):
    help = "Builds the road network from an OpenStreetMap extract; does nothing when it is up to date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        base = Path(settings.BASE_DIR)
        parser.add_argument(
            "--osm",
            type=Path,
            default=getattr(settings, "OSM_EXTRACT", None) or base / "apps/demo/data/liechtenstein.osm.pbf",
            help="the .osm.pbf file (setting OSM_EXTRACT)",
        )
        parser.add_argument(
            "--out",
            type=Path,
            default=getattr(settings, "ROADS_DIR", None) or base / "var/roads",
            help="the directory of the road folders (setting ROADS_DIR)",
        )
        parser.add_argument(
            "--profile",
            action="append",
            choices=PROFILES,
            help="only this one; may be repeated (setting ROAD_PROFILES)",
        )
        parser.add_argument("--force", action="store_true", help="build even when up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        profiles = options["profile"] or getattr(settings, "ROAD_PROFILES", DRIVEN)
        try:
            speeds = segment_speed_files(settings.SEGMENT_SPEEDS_DIR)
            done = prepare(Path(options["osm"]), Path(options["out"]), profiles, force=options["force"], speeds=speeds)
        except RoadDataError as error:
            raise CommandError(str(error)) from error
        for result in done:
            state = "built" if result.built else "up to date"
            self.stdout.write(f"{result.profile}: {state} ({result.folder})")
