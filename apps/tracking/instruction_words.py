"""The places at the address where a parcel may be left, as choices."""

from dataclasses import dataclass

from apps.instructions.models import Instruction

_ICONS = {
    "in_person": "hand-helping",
    "porch": "door-open",
    "garage": "warehouse",
    "shed": "fence",
    "mailbox": "mailbox",
    "reception": "concierge-bell",
}


@dataclass(frozen=True)
class SafePlaceChoice:
    code: str
    icon: str
    words: str
    is_chosen: bool
    is_open: bool


def safe_place_words(code: str | None) -> str:
    return str(Instruction.SafePlace(code).label) if code and code in Instruction.SafePlace.values else ""


def safe_places(chosen: str, *, is_verified: bool, is_allowed: bool) -> list[SafePlaceChoice]:
    """Every place; those that need a verified reader or the merchant's leave are closed without it."""
    free = is_verified and is_allowed
    return [
        SafePlaceChoice(code, icon, safe_place_words(code), code == chosen, free or code in ("in_person", chosen))
        for code, icon in _ICONS.items()
    ]
