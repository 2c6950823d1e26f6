"""A table outside the product in which handlers leave one row per key, with the number of times they ran."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def effects_table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS effects")
        cursor.execute("CREATE TABLE effects (key varchar(40) PRIMARY KEY, runs integer NOT NULL, seen varchar(40))")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE effects")


def leave(key: str, seen: str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO effects (key, runs, seen) VALUES (%s, 1, %s)"
            " ON CONFLICT (key) DO UPDATE SET runs = effects.runs + 1",
            [key, seen],
        )


def effects() -> dict[str, int]:
    """Key -> how often a handler ran to its effect."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, runs FROM effects")
        return dict(cursor.fetchall())


def record(payload: dict) -> None:
    leave(payload["key"])


def record_first(payload: dict) -> None:
    leave(f"{payload['key']}/first")


def record_second(payload: dict) -> None:
    leave(f"{payload['key']}/second")


def record_slowly(payload: dict) -> None:
    time.sleep(0.2)
    leave(payload["key"])


def record_start(payload: dict) -> None:
    """How long ago the key's clock reading was taken, in milliseconds, is what it leaves."""
    leave(payload["key"], str((time.time() - payload["asked"]) * 1000))


def die(payload: dict) -> None:
    os._exit(9)
