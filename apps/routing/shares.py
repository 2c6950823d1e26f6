"""How evenly a day is dealt out among its vans, in a sentence for the dispatcher."""

from django.utils.translation import gettext as _

from apps.routing.models import DayPlan, Replan
from apps.routing.planner.evenness import Evenness, evenness, in_use
from apps.routing.snapshot import Snapshot

_STEP = 5
"""Minutes: less says nothing about a day's work."""


def told(snapshot: Snapshot, plan: DayPlan) -> str:
    """What the vans' areas share and how unequal their work is; "" once one has left, or where fewer than two drive.

    What is left of a day under way says nothing about the day.
    """
    problem, standing = snapshot.problem, snapshot.standing
    used = sum(in_use(problem, route) for route in standing.routes)
    if used < 2 or any(vehicle.started for vehicle in problem.vehicles):
        return ""
    figures = evenness(problem, standing)
    words = _("%(overlap)s of neighbouring stops are on different vans; working times lie %(spread)s apart.") % {
        "overlap": _percent(figures.overlap_permille),
        "spread": _duration(figures.spread),
    }
    return f"{words} {_earlier(plan, figures)}".strip()


def _earlier(plan: DayPlan, now: Evenness) -> str:
    """What it was before the draft that stands was built; "" where that changed neither."""
    built = Replan.objects.filter(plan=plan, reason="build", outcome="applied").order_by("-pk").first()
    if built is None or built.overlap_before is None or built.spread_before is None:
        return ""
    was = _percent(built.overlap_before), _duration(built.spread_before)
    if was == (_percent(now.overlap_permille), _duration(now.spread)):
        return ""
    return _("Before the last draft was built: %(overlap)s and %(spread)s.") % {"overlap": was[0], "spread": was[1]}


def _percent(permille: int) -> str:
    return f"{round(permille / 10)}\u00a0%"


def _duration(seconds: int) -> str:
    minutes = round(seconds / 60 / _STEP) * _STEP
    if minutes < 60:
        return _("%(minutes)s min") % {"minutes": minutes}
    if not minutes % 60:
        return _("%(hours)s h") % {"hours": minutes // 60}
    return _("%(hours)s h %(minutes)s min") % {"hours": minutes // 60, "minutes": minutes % 60}
