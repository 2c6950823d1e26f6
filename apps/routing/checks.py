"""Road data is proved at start-up: missing or damaged, it is an error that names the file and the command."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from apps.core import clock
from apps.core.checks import DATA
from apps.routing.planner.travel import RoadDataError
from apps.routing.planner.travel_folder import REBUILD, check_roads
from apps.routing.planner.travel_matrix import MatrixFile
from apps.routing.planner.travel_prepare import DRIVEN


@register(DATA)
def check_road_data(**_kwargs: Any) -> list[CheckMessage]:
    """Without any road data a development install plans on straight lines, which its plans admit to."""
    directory = Path(settings.ROADS_DIR)
    if not directory.is_dir():
        if settings.STRAIGHT_LINES_ALLOWED:
            return []
        hint = "Or plan on straight lines knowingly: STRAIGHT_LINES_ALLOWED=1."
        return [Error(f"{directory} is missing. Build the road network with: {REBUILD}", hint=hint, id="routing.E001")]
    found: list[CheckMessage] = [Error(str(error), id="routing.E003") for error in _damaged_matrices()]
    try:
        check_roads(directory, getattr(settings, "ROAD_PROFILES", DRIVEN))
    except RoadDataError as error:
        found.append(Error(str(error), id="routing.E002"))
    return found


def _damaged_matrices() -> Iterator[RoadDataError]:
    """Files of days that may still be planned. A day without files is no error: the planner makes them."""
    yesterday = (clock.now() - timedelta(days=1)).date().isoformat()
    for file in sorted(Path(settings.MATRIX_DIR).glob("*/*/*.matrix")):
        if file.parent.name >= yesterday:
            try:
                MatrixFile.open(file.parent, file.stem)
            except RoadDataError as error:
                yield error
