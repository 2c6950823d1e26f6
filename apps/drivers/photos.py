"""Proof photos as they are kept: apps/core/photos.py says how."""

from apps.core.photos import FORMATS, LONGEST_SIDE, MOST_BYTES, MOST_PIXELS, cleaned_photo

__all__ = ["FORMATS", "LONGEST_SIDE", "MOST_BYTES", "MOST_PIXELS", "cleaned_photo"]
