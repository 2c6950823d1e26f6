"""Contexts of the change flows' pages, one per state that must be designed."""

from typing import Any

FLOWS: dict[str, tuple[str, dict[str, Any]]] = {}
