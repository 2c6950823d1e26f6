"""Proves config/events.py at start-up: every kind is declared and well named, every handler can be imported."""

import re
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from apps.events import registry
from apps.events.models import Reaction
from config import events as table

_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*\.([a-z]+(?:_[a-z]+)*)")
# The one noun: the plan tells a delivery that it has become its van's next stop.
_NOUNS = frozenset(["next_stop"])
_IRREGULAR = frozenset(
    ("begun", "broken", "built", "done", "driven", "found", "given", "held", "kept", "left", "lost", "made", "met")
) | frozenset(("put", "seen", "sent", "set", "shown", "taken", "unread", "withdrawn"))


def is_well_named(kind: str) -> bool:
    """True for `<area>.<past participle>`, such as delivery.window_changed or redirection.handed_out."""
    match = _NAME.fullmatch(kind)
    if match is None:
        return False
    return match[1] in _NOUNS or any(word.endswith("ed") or word in _IRREGULAR for word in match[1].split("_"))


@register("events")
def check_events_table(**_kwargs: Any) -> list[CheckMessage]:
    declared = registry.declared_kinds()
    found: list[CheckMessage] = []
    for kind in sorted(declared.keys() | table.SUBSCRIBERS.keys()):
        where = declared.get(kind, "config.events")
        if not is_well_named(kind):
            found.append(Error(f"{kind!r} ({where}) is not named <area>.<past participle>.", id="events.E001"))
        if kind not in declared:
            found.append(Error(f"{kind!r} is a row of config/events.py, but no app declares it.", id="events.E002"))
        if kind not in table.SUBSCRIBERS:
            hint = "Add a row to config/events.py; () says that nobody reacts."
            found.append(checks.Warning(f"{kind!r} ({where}) has no row.", hint=hint, id="events.W001"))
    handlers = {path for paths in table.SUBSCRIBERS.values() for path in paths} | table.LANES.keys()
    for path in sorted(handlers):
        try:
            usable = callable(import_string(path))
        except ImportError as error:
            found.append(Error(f"The handler {path!r} cannot be imported: {error}", id="events.E003"))
            continue
        if not usable:
            found.append(Error(f"The handler {path!r} is not a function.", id="events.E004"))
    for path, lane in table.LANES.items():
        if lane not in Reaction.Lane.values:
            found.append(Error(f"{path!r} is given the unknown lane {lane!r}.", id="events.E005"))
    return found
