"""Looks for secrets where none may be: every column of every table, except the places made for them."""

import re
from collections.abc import Iterable, Mapping

from django.db import connection

# The only places for people's data: who they are, where they live, what they were told, what they asked the driver.
PEOPLE = frozenset(
    {
        "deliveries_contact",
        "deliveries_place",
        "notifications_message.body",
        "notifications_message.subject",
        "instructions_instruction.note",
        "places_address",
    }
)


def stored(*, without: Iterable[str] = ()) -> dict[str, str]:
    """ "table.column" -> everything that stands in it, as text, whatever the models say."""
    found: dict[str, str] = {}
    left_out = frozenset(without)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in left_out:
                continue
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            columns = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for column, value in zip(columns, row, strict=True):
                    name = f"{table}.{column}"
                    if name not in left_out:
                        found[name] = found.get(name, "") + f"\n{value}"
    return found


def holds(text: str, secret: str) -> bool:
    """Is the secret in the text?

    A code of digits counts where it stands by itself: the same digits come up by chance in the microseconds of a
    time, in a coordinate and in a hash.
    """
    if secret.isdigit():
        return re.search(rf"(?<![0-9a-z.]){secret}(?![0-9a-z])", text, re.IGNORECASE) is not None
    return secret.lower() in text.lower()


def traces(secrets: Mapping[str, str], *, without: Iterable[str] = ()) -> list[str]:
    """ "which secret: where" for every place that holds one."""
    return sorted(
        f"{name}: {place}"
        for place, text in stored(without=without).items()
        for name, secret in secrets.items()
        if holds(text, secret)
    )
