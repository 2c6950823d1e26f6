"""Who reacts when something HAPPENED: one row per kind of event, the handlers that hear of it behind it.

A handler is a function `handler(payload: dict) -> None` in some app's handlers.py. It runs after commit, outside any
transaction, at least once: it must be idempotent. `manage.py check` proves that every row can work.
"""

SUBSCRIBERS: dict[str, tuple[str, ...]] = {}

# Handlers run in the fast lane (milliseconds, no network) unless named here: "slow" waits for other people's servers,
# "planner" belongs to the process that keeps the solver warm.
LANES: dict[str, str] = {}
