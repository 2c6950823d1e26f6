"""Who reacts when something HAPPENED: one row per kind of event, the handlers that hear of it behind it.

A handler is a function `handler(payload: dict) -> None` in some app's handlers.py. It runs after commit, outside any
transaction, at least once: it must be idempotent. `manage.py check` proves that every row can work.
"""

SUBSCRIBERS: dict[str, tuple[str, ...]] = {
    "delivery.created": (),
    "delivery.window_changed": (),
    "delivery.place_changed": (),
    "delivery.state_changed": (),
    "delivery.cancelled": (),
    "delivery.step_up_requested": (),
    "delivery.step_up_passed": (),
    "delivery.link_rotated": (),
    "delivery.promise_opened": (),
    "delivery.contact_changed": (),
    "routing.route_changed": (),
    "routing.eta_changed": (),
    "routing.next_stop": (),
    "routing.plan_published": (),
    "routing.replan_refused": (),
    "instructions.saved": (),
    "instructions.acknowledged": (),
    "instructions.code_revealed": (),
    "redirection.stored": (),
    "redirection.handed_out": (),
    "notifications.contact_refused": (),
}

# Handlers run in the fast lane (milliseconds, no network) unless named here: "slow" waits for other people's servers,
# "planner" belongs to the process that keeps the solver warm.
LANES: dict[str, str] = {}
