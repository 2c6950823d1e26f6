"""Another window or day: asked of the plan and written with the plan's change in one transaction."""

from datetime import timedelta

from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries import services as deliveries
from apps.deliveries.models import Delivery
from apps.rescheduling import rules
from apps.rescheduling.services.offer_windows import alternatives_to, offers_of, policy_of
from apps.routing import services as routing
from apps.routing.models import Visit
from apps.routing.selectors import progress_of, visit_of, zone_of

HOLD = timedelta(minutes=10)
# What another window cannot cure.
_HOPELESS = frozenset({"too_late", "ended", "not_offered", "change_limit", "off_the_map", "unreachable", "no_depot"})


def change_window(*, delivery: Delivery, window: TimeWindow, revision: int, actor: str) -> Delivery:
    """The delivery in its new window, which the standing plan holds already.

    Stale when somebody changed it since `revision`; Refused, with alternatives where there are any, when the shop, the
    hour or the plan does not allow it. Shoppers are bound by the shop's limits, staff by the plan only.
    """
    delivery.refresh_from_db()
    require_revision(delivery, revision)
    require_change(delivery, actor)
    visit = visit_of(delivery.pk)
    if window == delivery.window and visit is not None and visit.route_id is not None:
        return delivery
    require_window(delivery, window, actor)

    def write() -> Delivery:
        return deliveries.change_window(delivery=delivery, window=window, revision=revision, actor=actor)

    try:
        return routing.change_in_plan(delivery=delivery, place=delivery.place, window=window, write=write, actor=actor)
    except Refused as refused:
        raise with_alternatives(refused, delivery, window) from None


def hold_window(*, delivery: Delivery, window: TimeWindow) -> Visit:
    """Room in that window for ten minutes, while the customer makes up their mind. Refused with alternatives."""
    require_change(delivery, "shopper")
    require_window(delivery, window, "shopper")
    try:
        return routing.hold(delivery=delivery, place=delivery.place, window=window, lasts=HOLD)
    except Refused as refused:
        raise with_alternatives(refused, delivery, window) from None


def require_revision(delivery: Delivery, revision: int) -> None:
    if delivery.revision != revision:
        raise Stale("changed_meanwhile", _("Someone changed this a moment ago."))


def require_change(delivery: Delivery, actor: str) -> None:
    """Refused when the time of this delivery may not be changed at all now."""
    policy, now, route = policy_of(delivery), clock.now(), on_route(delivery)
    if actor == "shopper":
        refusal = rules.refuse_change(delivery.state, delivery.change_count, route, policy, now)
    else:
        refusal = rules.refuse_by_progress(delivery.state, route, policy, now)
    if refusal:
        raise Refused(refusal.code, str(refusal.message))


def require_window(delivery: Delivery, window: TimeWindow, actor: str) -> None:
    """Refused, with alternatives, for a window that nobody may choose."""
    policy, zone = policy_of(delivery), zone_of(routing.subject_of(delivery).depot)
    refusal = rules.refuse_window(window, policy, clock.now(), zone)
    if refusal is None and actor == "shopper":
        refusal = rules.refuse_width(window, policy)
    if refusal:
        raise with_alternatives(Refused(refusal.code, str(refusal.message)), delivery, window)


def with_alternatives(refused: Refused, delivery: Delivery, window: TimeWindow) -> Refused:
    """The same refusal, naming windows that the plan can hold instead."""
    if refused.code in _HOPELESS or refused.alternatives:
        return refused
    others = alternatives_to(window, offers_of(routing.subject_of(delivery), policy_of(delivery)))
    return Refused(refused.code, refused.message, others, **refused.details)


def on_route(delivery: Delivery) -> rules.OnRoute:
    """Where the delivery's van is, as the rules want it."""
    progress = progress_of(delivery.pk)
    if progress is None:
        return rules.OnRoute()
    return rules.OnRoute(progress.departed, progress.arrived, progress.stops_away, progress.arrival)
