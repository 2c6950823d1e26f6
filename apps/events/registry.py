"""Which kinds of events exist and where their handlers run, read from each app's events.py and config/events.py."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps

from config import events as table


@cache
def declared_kinds() -> dict[str, str]:
    """Kind -> the module whose upper-case constant declares it (apps/<app>/events.py)."""
    kinds: dict[str, str] = {}
    for app in apps.get_app_configs():
        if not app.name.startswith("apps.") or find_spec(f"{app.name}.events") is None:
            continue
        module = import_module(f"{app.name}.events")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str):
                kinds[value] = module.__name__
    return kinds


def is_known(kind: str) -> bool:
    return kind in table.SUBSCRIBERS or kind in declared_kinds()


def subscribers(kind: str) -> tuple[str, ...]:
    return table.SUBSCRIBERS.get(kind, ())


def lane_of(handler: str) -> str:
    return table.LANES.get(handler, "fast")
