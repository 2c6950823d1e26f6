"""The evening: what a day's vans did not hand over is put into the next day's draft, and its people are told when."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, QuerySet

from apps.core import clock
from apps.core.errors import Refused, Stale
from apps.core.time_windows import TimeWindow
from apps.deliveries import services as deliveries
from apps.deliveries.models import Delivery
from apps.deliveries.states import OPEN, State
from apps.fleet.models import Depot
from apps.fleet.selectors import shifts_of
from apps.rescheduling import rules
from apps.rescheduling.services.offer_windows import policy_of
from apps.routing import services as routing
from apps.routing.models import DayPlan, Drop
from apps.routing.selectors import zone_of

MOST_ATTEMPTS = 3
"""After so many the recipient has to say something first."""
LOOK_AHEAD_DAYS = 7
# Trying the same again would only fail again: somebody has to decide first.
HOPELESS = frozenset(
    {"consignee_refused", "consignee_incorrect_address", "carrier_damaged_parcel", "carrier_parcel_lost"}
)
ACTOR = "system"


def roll_over(*, plan: DayPlan) -> list[int]:
    """The deliveries that another day was found for, ascending. Harmless twice: what has a place is left alone."""
    day, zone = next_day(plan.depot, plan.day), zone_of(plan.depot)
    while routing.is_after_cutoff(plan.depot, day):
        day = next_day(plan.depot, day)
    return [row.pk for row in _left_over(plan) if _worth_another_try(row) and _to_day(row, day, zone)]


def next_day(depot: Depot, day: date) -> date:
    """The next day of the depot's roster, or the next working day where none is written yet."""
    ahead = (day + timedelta(days=1), day + timedelta(days=LOOK_AHEAD_DAYS))
    rostered: date | None = (
        shifts_of(depot).filter(day__range=ahead).order_by("day").values_list("day", flat=True).first()
    )
    noon = datetime.combine(day, datetime.min.time(), clock.now().tzinfo) + timedelta(hours=12)
    return rostered or clock.next_working_day(noon).date()


def _left_over(plan: DayPlan) -> QuerySet[Delivery]:
    """Whoever stood in this plan, was not served and stands in no other one."""
    stood = Drop.objects.filter(visit__plan=plan, is_hold=False).values("delivery")
    waits = Drop.objects.filter(is_open=True, is_hold=False).values("delivery")
    rows = Delivery.objects.filter(pk__in=stood, state__in=[*OPEN, State.FAILED]).exclude(pk__in=waits)
    return rows.select_related("merchant__policy", "place").order_by("pk")


def _worth_another_try(delivery: Delivery) -> bool:
    if delivery.state != State.FAILED:
        return True
    tried = delivery.attempts.filter(outcome=State.FAILED, counts=True)
    last = tried.order_by("-number").values_list("reason_code", flat=True).first()
    disowned = delivery.attempts.filter(counts=False).count()
    return last not in HOPELESS and (tried.aggregate(last=Max("number"))["last"] or 0) - disowned < MOST_ATTEMPTS


def _to_day(delivery: Delivery, day: date, zone: ZoneInfo) -> bool:
    """The same hours of that day if the plan holds them, else any hour; False when somebody was faster."""
    same = _same_hours(delivery.window, day, zone)
    whole = rules.whole_day(policy_of(delivery), day, zone) or same
    try:
        for window in dict.fromkeys((same, whole)):
            try:
                _into_plan(delivery, window)
            except Refused:
                continue
            return True
        _without_van(delivery, whole)
    except Stale:
        return False
    return True


def _into_plan(delivery: Delivery, window: TimeWindow) -> None:
    def write() -> Delivery:
        return deliveries.change_window(delivery=delivery, window=window, revision=delivery.revision, actor=ACTOR)

    routing.change_in_plan(delivery=delivery, place=delivery.place, window=window, write=write, actor=ACTOR)


def _without_van(delivery: Delivery, window: TimeWindow) -> None:
    """Due that day all the same: the day's plan takes it in as soon as it has vans with room.

    Whoever no van came for keeps the state they had: nobody is told of a parcel at the depot that was never there.
    """
    with transaction.atomic():
        deliveries.change_window(delivery=delivery, window=window, revision=delivery.revision, actor=ACTOR)
        if delivery.state == State.FAILED:
            deliveries.move_state(delivery_id=delivery.pk, to=State.ARRIVED, actor=ACTOR)


def _same_hours(window: TimeWindow, day: date, zone: ZoneInfo) -> TimeWindow:
    """The same time of day by the local clock, also across a change of it."""
    opens, closes = window.earliest.astimezone(zone), window.latest.astimezone(zone)
    days = closes.date() - opens.date()
    return TimeWindow(
        datetime.combine(day, opens.time(), zone).astimezone(window.earliest.tzinfo),
        datetime.combine(day + days, closes.time(), zone).astimezone(window.latest.tzinfo),
    )
