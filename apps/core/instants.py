"""Instants as a bare cursor hands them over."""

from datetime import UTC, datetime


def stored_instant(stored: str | datetime) -> datetime:
    """SQLite's driver gives text without an offset, PostgreSQL's an instant with one; both mean UTC."""
    found = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return found if found.tzinfo else found.replace(tzinfo=UTC)
