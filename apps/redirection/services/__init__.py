"""The only writers of where else: one file per verb.

A change of place asks the plan and is committed with it; hand-outs and expiries only move the delivery on.
"""

from apps.redirection.services.hand_out import hand_out
from apps.redirection.services.handout_link import make_handout_link, revoke_handout_link
from apps.redirection.services.move_place import direct_to_point, move_home, move_to_address, move_to_point
from apps.redirection.services.offer_points import offer_points
from apps.redirection.services.point_full import REASON as POINT_FULL
from apps.redirection.services.point_full import bring_to_other_point
from apps.redirection.services.reserve import release, reserve
from apps.redirection.services.store_at_point import expire_collection, extend_collection, store_at_point

__all__ = [
    "POINT_FULL",
    "bring_to_other_point",
    "direct_to_point",
    "expire_collection",
    "extend_collection",
    "hand_out",
    "make_handout_link",
    "move_home",
    "move_to_address",
    "move_to_point",
    "offer_points",
    "release",
    "reserve",
    "revoke_handout_link",
    "store_at_point",
]
