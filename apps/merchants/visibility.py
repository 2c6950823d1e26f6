"""When a page may show something of the van: "always", "never", or thresholds such as "stops 5 or minutes 30".

A threshold counts what is left: stops before this one, minutes until the earliest arrival, metres to drive. It is met
at its own value; what is not known meets none.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_THRESHOLD = re.compile(r"(stops|minutes|metres) (\d{1,6})", re.ASCII)
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Visibility:
    """One element's rule. With thresholds, any that is met shows the element."""

    is_always: bool = False
    stops: int | None = None
    minutes: int | None = None
    metres: int | None = None

    def shows(self, *, stops: int | None, seconds: float | None, metres: float | None) -> bool:
        """Whether the element may be shown with so many stops, seconds and metres to go (None: not known)."""
        return (
            self.is_always
            or _met(self.stops, stops)
            or _met(None if self.minutes is None else self.minutes * _SECONDS, seconds)
            or _met(self.metres, metres)
        )

    @property
    def is_never(self) -> bool:
        return not self.is_always and self.stops is None and self.minutes is None and self.metres is None


def _met(threshold: int | None, left: float | None) -> bool:
    return threshold is not None and left is not None and left <= threshold


@lru_cache(maxsize=256)
def visibility_of(text: str) -> Visibility:
    """The rule that `text` says; ValueError when it says none."""
    words = " ".join(text.lower().split())
    if words in ("always", "never"):
        return Visibility(is_always=words == "always")
    found: dict[str, int] = {}
    for part in words.split(" or "):
        match = _THRESHOLD.fullmatch(part)
        if match is None or match[1] in found:
            raise ValueError(f"not a rule of visibility: {text!r}")
        found[match[1]] = int(match[2])
    return Visibility(stops=found.get("stops"), minutes=found.get("minutes"), metres=found.get("metres"))


def check_road(text: str) -> None:
    """The road is drawn to the next stop only: a threshold of further stops would promise what is never shown."""
    try:
        stops = visibility_of(text).stops
    except ValueError:
        # check_visibility says so.
        return
    if stops:
        raise ValidationError(_('The road is shown to whoever is next. Write "stops 0", or minutes or metres.'))


def check_visibility(text: str) -> None:
    """The validator of the policy's fields."""
    try:
        visibility_of(text)
    except ValueError:
        raise ValidationError(
            _('Write "always", "never", or thresholds such as "stops 5 or minutes 30" or "metres 2000".')
        ) from None
