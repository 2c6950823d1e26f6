"""Weight, volume and pieces: what a stop asks for and what a van has room for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.routing.planner.checked import whole


@dataclass(frozen=True, slots=True)
class Load:
    """How much a stop asks for, or how much a van can carry."""

    grams: int = 0
    cubic_centimetres: int = 0
    pieces: int = 0

    def __post_init__(self) -> None:
        for name in ("grams", "cubic_centimetres", "pieces"):
            whole(name, getattr(self, name), 0, 10**12)

    def __add__(self, other: Load) -> Load:
        return Load(
            self.grams + other.grams,
            self.cubic_centimetres + other.cubic_centimetres,
            self.pieces + other.pieces,
        )

    def fits(self, capacity: Load) -> bool:
        return (
            self.grams <= capacity.grams
            and self.cubic_centimetres <= capacity.cubic_centimetres
            and self.pieces <= capacity.pieces
        )


NO_LOAD: Final = Load()
