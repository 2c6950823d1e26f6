"""Why the plan is as it is, in sentences for dispatchers and agents, of the planner's codes."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.routing.planner.explain import BREAK, SHIFT_END, Obstacle
from apps.routing.planner.solution import Reason
from apps.routing.words import PLAN_REASONS, WHY


def unserved(code: str) -> str:
    """Why a stop is on no van."""
    return str(WHY[Reason(code)]) if code in PLAN_REASONS else _("It has not been planned yet.")


def against(obstacle: Obstacle, vans: Mapping[str, str]) -> str:
    """What stands against one van: how much is missing at its best place. `vans` gives codes by planner id."""
    facts = {"van": vans.get(obstacle.vehicle, ""), "by": obstacle.by, "names": ", ".join(obstacle.names)}
    if obstacle.code == "fits":
        return _("%(van)s could take it now") % facts
    if obstacle.unit == "seconds":
        minutes = max(1, -(-obstacle.by // 60))
        return _too_late(obstacle.code, minutes) % {**facts, "minutes": minutes}
    if obstacle.unit == "metres":
        return _("%(van)s would drive %(by)s m more than its battery allows") % facts
    if obstacle.unit:
        return _("%(van)s is full") % facts
    if obstacle.code == Reason.SKILLS:
        return _("%(van)s lacks: %(names)s") % facts
    if obstacle.code in (Reason.ZONE, Reason.DEPOT):
        return _("%(van)s does not drive there") % facts
    if obstacle.code == Reason.LEFT_DEPOT:
        return _("%(van)s has left already") % facts
    return _("%(van)s: %(why)s") % {**facts, "why": unserved(obstacle.code)}


def _too_late(code: str, minutes: int) -> str:
    if code == Reason.OTHERS:
        return ngettext(
            "%(van)s would be %(minutes)s minute too late at another stop",
            "%(van)s would be %(minutes)s minutes too late at another stop",
            minutes,
        )
    if code == SHIFT_END:
        return ngettext(
            "%(van)s would be %(minutes)s minute too late back at the depot",
            "%(van)s would be %(minutes)s minutes too late back at the depot",
            minutes,
        )
    if code == BREAK:
        return ngettext(
            "%(van)s would be %(minutes)s minute too late for its break",
            "%(van)s would be %(minutes)s minutes too late for its break",
            minutes,
        )
    return ngettext(
        "%(van)s would be %(minutes)s minute too late", "%(van)s would be %(minutes)s minutes too late", minutes
    )
