"""Who reacts when something HAPPENED: one row per kind of event, the handlers that hear of it behind it.

A handler is a function `handler(payload: dict) -> None` in some app's handlers.py. It runs after commit, outside any
transaction, at least once: it must be idempotent. `manage.py check` proves that every row can work.
"""

SUBSCRIBERS: dict[str, tuple[str, ...]] = {
    "delivery.created": (
        "apps.tracking.handlers.on_delivery",
        "apps.notifications.handlers.on_created",
        "apps.storefront.handlers.on_delivery",
    ),
    "delivery.window_changed": (
        "apps.tracking.handlers.on_delivery",
        "apps.notifications.handlers.on_changed",
        "apps.storefront.handlers.on_delivery",
        "apps.drivers.handlers.on_window_changed",
    ),
    "delivery.place_changed": (
        "apps.tracking.handlers.on_delivery",
        "apps.notifications.handlers.on_changed",
        "apps.instructions.handlers.on_place_changed",
        "apps.storefront.handlers.on_delivery",
        "apps.drivers.handlers.on_place_changed",
    ),
    "delivery.state_changed": (
        # First, so that whoever is told of a full point hears where their parcel goes instead.
        "apps.redirection.handlers.on_state_changed",
        "apps.tracking.handlers.on_progress",
        "apps.notifications.handlers.on_state_changed",
        "apps.storefront.handlers.on_delivery",
    ),
    "delivery.cancelled": (
        "apps.tracking.handlers.on_progress",
        "apps.notifications.handlers.on_cancelled",
        "apps.storefront.handlers.on_delivery",
        "apps.drivers.handlers.on_cancelled",
    ),
    "delivery.failure_withdrawn": ("apps.tracking.handlers.on_delivery",),
    "delivery.step_up_requested": ("apps.notifications.handlers.on_step_up_requested",),
    "delivery.step_up_passed": (),
    "delivery.link_rotated": ("apps.tracking.handlers.on_link",),
    "delivery.link_shared": (),
    "delivery.promise_opened": ("apps.tracking.handlers.on_delivery",),
    "delivery.contact_tried": (),
    "delivery.proof_flagged": (),
    "delivery.collection_code_renewed": ("apps.tracking.handlers.on_delivery",),
    "merchant.changed": ("apps.tracking.handlers.on_merchant",),
    "events.night_begun": (
        "apps.events.handlers.on_night_begun",
        "apps.deliveries.handlers.on_night_begun",
        "apps.feedback.handlers.on_night_begun",
        "apps.fleet.handlers.on_night_begun",
        "apps.routing.handlers.on_night_begun",
        "apps.notifications.handlers.on_night_begun",
        "apps.tracking.handlers.on_night_begun",
        "apps.storefront.handlers.on_night_begun",
        "apps.drivers.handlers.on_night_begun",
    ),
    "fleet.zone_changed": ("apps.routing.handlers.on_zone_changed",),
    "fleet.break_changed": ("apps.tracking.handlers.on_break",),
    "routing.route_changed": ("apps.tracking.handlers.on_route",),
    "routing.eta_changed": ("apps.tracking.handlers.on_etas", "apps.notifications.handlers.on_eta_changed"),
    "routing.eta_moved": ("apps.tracking.handlers.on_delivery",),
    "routing.next_stop": ("apps.tracking.handlers.on_progress", "apps.notifications.handlers.on_next_stop"),
    "routing.stop_unserved": ("apps.tracking.handlers.on_delivery", "apps.notifications.handlers.on_stop_unserved"),
    "routing.plan_published": ("apps.tracking.handlers.on_plan",),
    "routing.day_closed": ("apps.rescheduling.handlers.on_day_closed",),
    "routing.replan_refused": (),
    "instructions.saved": (
        "apps.tracking.handlers.on_delivery",
        "apps.drivers.handlers.on_instructions",
    ),
    "instructions.acknowledged": ("apps.tracking.handlers.on_delivery",),
    "instructions.code_revealed": (),
    "redirection.stored": ("apps.tracking.handlers.on_delivery", "apps.notifications.handlers.on_stored"),
    "redirection.extended": ("apps.tracking.handlers.on_delivery",),
    "redirection.handed_out": ("apps.tracking.handlers.on_delivery",),
    "drivers.notice_unread": (),
    "storefront.endpoint_disabled": (),
    "support.page_viewed": (),
    "feedback.rated": ("apps.tracking.handlers.on_delivery", "apps.storefront.handlers.on_delivery"),
    "feedback.problem_reported": ("apps.tracking.handlers.on_delivery", "apps.storefront.handlers.on_delivery"),
    "feedback.problem_taken": ("apps.tracking.handlers.on_delivery",),
    "feedback.problem_closed": ("apps.tracking.handlers.on_delivery", "apps.storefront.handlers.on_delivery"),
    "feedback.attempt_disputed": ("apps.tracking.handlers.on_delivery", "apps.storefront.handlers.on_delivery"),
    "feedback.dispute_decided": ("apps.tracking.handlers.on_delivery", "apps.storefront.handlers.on_delivery"),
    "feedback.message_sent": ("apps.tracking.handlers.on_delivery",),
    "feedback.message_delivered": ("apps.tracking.handlers.on_delivery",),
    "feedback.message_opened": ("apps.tracking.handlers.on_delivery",),
    "notifications.contact_refused": ("apps.tracking.handlers.on_delivery",),
}

# Handlers run in the fast lane (milliseconds, no network) unless named here: "slow" waits for messages' providers,
# "webhooks" for merchants' endpoints, "planner" belongs to the process that keeps the solver warm.
LANES: dict[str, str] = {
    "apps.notifications.handlers.send_message": "slow",
    "apps.storefront.handlers.send_webhook": "webhooks",
}
