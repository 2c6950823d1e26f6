"""What others may ask about places."""

from apps.places.normalise import search_key
from apps.places.opening_hours import is_open, is_understood, next_opening, opening_windows

__all__ = ["is_open", "is_understood", "next_opening", "opening_windows", "search_key"]
