"""Why the plan is as it is, in sentences for dispatchers and agents, of the planner's codes."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

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


def cause(code: str) -> str:
    """What moves a time most, in a few words (codes of `planner.explain_eta`, and what a van's position tells)."""
    return str(CAUSES.get(code, CAUSES["changed"]))


def verdict(detail: str) -> str:
    """Why a search proposes nothing (`planner.solve.Verdict`, or the build's own words)."""
    return str(VERDICTS.get(detail, _("The plan stands as it is.")))


CAUSES: dict[str, str | Promise] = {
    "late_van": gettext_lazy("the van is later or earlier than it was expected to be"),
    "traffic": gettext_lazy("slower or faster roads"),
    "removed": gettext_lazy("a stop before it is gone"),
    "changed": gettext_lazy("a stop before it takes longer or shorter"),
    "reordered": gettext_lazy("another order of stops"),
    "inserted": gettext_lazy("a stop before it is new"),
    "break": gettext_lazy("the driver's break lies elsewhere"),
    "other_van": gettext_lazy("another van brings it"),
    "own_window": gettext_lazy("its own time or place was changed"),
    "stale_position": gettext_lazy("the van has sent no position for a while"),
    "off_route": gettext_lazy("the van is not on its way there"),
    "since_told": gettext_lazy("how the van's day went since that time was told, with changes too small to be kept"),
}
VERDICTS: dict[str, str | Promise] = {
    "no_gain": gettext_lazy("Nothing better was found."),
    "unrest": gettext_lazy("What was found saves too little for the number of customers it would move."),
    "violates": gettext_lazy("What was found would break a promise or a limit, so it does not count."),
    "no_solution": gettext_lazy("No other plan was found."),
    "nothing_to_move": gettext_lazy("Nothing may be moved: every stop is being driven to, or is alone on its van."),
    "no_route": gettext_lazy("No van of that day has a route that could change."),
    "dropped": gettext_lazy("Another draft would leave out somebody who has been told yes."),
    "counts_already": gettext_lazy("This is no draft any more: a van is loaded or on the road."),
}


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
