"""The only writers of the vans' plan, one file per verb.

Each works on a snapshot of the standing plan and commits under the revisions of the routes it touches.
"""

from apps.routing.services.change_plan import (
    TRIES,
    Proposal,
    change_in_plan,
    commit,
    propose,
    propose_for,
    release,
    settle,
)
from apps.routing.services.hold_window import hold, release_hold, release_holds
from apps.routing.services.offer_windows import SlotOffer, offers, offers_for
from apps.routing.services.subject import Subject, nearest_depot, newcomer, subject_of
from apps.routing.services.write_routes import RouteMoved, ask_for_replan, ensure_plan

__all__ = [
    "TRIES",
    "Proposal",
    "RouteMoved",
    "SlotOffer",
    "Subject",
    "ask_for_replan",
    "change_in_plan",
    "commit",
    "ensure_plan",
    "hold",
    "nearest_depot",
    "newcomer",
    "offers",
    "offers_for",
    "propose",
    "propose_for",
    "release",
    "release_hold",
    "release_holds",
    "settle",
    "subject_of",
]
