"""The only writers of the vans' plan, one file per verb.

Each works on a snapshot of the standing plan and commits under the revisions of the routes it touches.
"""

from apps.routing.services.ask_by_hand import ask_by_hand
from apps.routing.services.build_ahead import build_ahead
from apps.routing.services.build_day import build_day, prepare, publish, take_in
from apps.routing.services.change_plan import (
    Proposal,
    change_in_plan,
    commit,
    propose,
    propose_for,
    release,
    settle,
    with_retries,
)
from apps.routing.services.close_day import close_day, close_if_over
from apps.routing.services.close_road import close_road, note_closure, open_road
from apps.routing.services.drive import arrive, catch_up, complete, depart, fail, stop_of
from apps.routing.services.explain_windows import obstacles
from apps.routing.services.hold_window import hold, release_hold, release_holds
from apps.routing.services.improve_plan import ByHand, improve_plan, preview_plan
from apps.routing.services.incidents import note, note_if_urgent
from apps.routing.services.keep_out import keep_out
from apps.routing.services.late_word import (
    Closed,
    closed_by_the_evening,
    moved_on,
    note_late_arrival,
    note_late_failure,
    reopen,
    untouched,
)
from apps.routing.services.learn import learn_tonight
from apps.routing.services.load_van import Loaded, load
from apps.routing.services.off_the_road import break_down, mark_sick
from apps.routing.services.offer_windows import SlotOffer, from_best_depot, offers, offers_at, offers_for
from apps.routing.services.onward import bring_on, failed_today, note_point_full
from apps.routing.services.roll_back import remember, roll_back
from apps.routing.services.roll_forward import keep_rolling, roll_forward, roll_forward_soon, roll_many_forward_soon
from apps.routing.services.search_plan import change_by_search, may_be_searched
from apps.routing.services.subject import Subject, nearest_depot, newcomer, subject_of
from apps.routing.services.try_plan import (
    apply_preview,
    as_shown,
    ask_preview,
    drop_preview,
    standing_previews,
    work_out,
)
from apps.routing.services.watch_day import keep_watching, watch_day
from apps.routing.services.write_routes import RouteMoved, ask_for_replan, ensure_plan
from apps.routing.sites import is_after_cutoff
from apps.routing.words import PLAN_REASONS, name_place, refusal

__all__ = [
    "PLAN_REASONS",
    "ByHand",
    "Closed",
    "Loaded",
    "Proposal",
    "RouteMoved",
    "SlotOffer",
    "Subject",
    "apply_preview",
    "arrive",
    "as_shown",
    "ask_by_hand",
    "ask_for_replan",
    "ask_preview",
    "break_down",
    "bring_on",
    "build_ahead",
    "build_day",
    "catch_up",
    "change_by_search",
    "change_in_plan",
    "close_day",
    "close_if_over",
    "close_road",
    "closed_by_the_evening",
    "commit",
    "complete",
    "depart",
    "drop_preview",
    "ensure_plan",
    "fail",
    "failed_today",
    "from_best_depot",
    "hold",
    "improve_plan",
    "is_after_cutoff",
    "keep_out",
    "keep_rolling",
    "keep_watching",
    "learn_tonight",
    "load",
    "mark_sick",
    "may_be_searched",
    "moved_on",
    "name_place",
    "nearest_depot",
    "newcomer",
    "note",
    "note_closure",
    "note_if_urgent",
    "note_late_arrival",
    "note_late_failure",
    "note_point_full",
    "obstacles",
    "offers",
    "offers_at",
    "offers_for",
    "open_road",
    "prepare",
    "preview_plan",
    "propose",
    "propose_for",
    "publish",
    "refusal",
    "release",
    "release_hold",
    "release_holds",
    "remember",
    "reopen",
    "roll_back",
    "roll_forward",
    "roll_forward_soon",
    "roll_many_forward_soon",
    "settle",
    "standing_previews",
    "stop_of",
    "subject_of",
    "take_in",
    "untouched",
    "watch_day",
    "with_retries",
    "work_out",
]
