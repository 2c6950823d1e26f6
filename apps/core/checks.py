"""What must be true before anything starts: the map is whole, and what production leans on is there.

Run by every management command and by the web servers (`refuse_bad_start`); each error names its file and its command.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from apps.core.tiles import TilesError, check_tiles

DATA = "data"


@register(DATA)
def check_map_tiles(**_kwargs: Any) -> list[CheckMessage]:
    try:
        check_tiles(Path(settings.TILES_DIR))
    except TilesError as error:
        return [Error(str(error), id="core.E001")]
    return []


@register("security", deploy=True)
def check_shared_throttles(**_kwargs: Any) -> list[CheckMessage]:
    """PostgreSQL means several processes, and throttles that are not shared multiply with them."""
    engine = str(settings.DATABASES["default"]["ENGINE"])
    if settings.REDIS_URL or engine.endswith("sqlite3"):
        return []
    hint = "Set REDIS_URL."
    return [checks.Warning("Each web process counts tries (links, codes, log-ins) alone.", hint=hint, id="core.W001")]


def refuse_bad_start() -> None:
    """For web servers, which run no checks by themselves. Raises ImproperlyConfigured with every error's words."""
    errors = [found.msg for found in checks.run_checks(tags=[DATA]) if found.is_serious()]
    if errors:
        raise ImproperlyConfigured("Doorstep will not start: " + " ".join(errors))
