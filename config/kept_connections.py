"""Database connections that outlive a request, for processes that serve."""

from functools import cache

from django.db import connections


@cache
def keep_connections() -> None:
    """To be called once there is a request: threads keep their connections, SQLite's too, as nothing forks any more.

    Opening one costs more than most queries. Whoever merely imports a server's module keeps the settings' own value.
    """
    for connection in connections.settings.values():
        connection["CONN_MAX_AGE"] = 60
