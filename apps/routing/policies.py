"""What a plan is judged by while it is a draft, as its depot is set."""

import dataclasses

from apps.fleet.models import Depot
from apps.routing.planner.limits import PLAIN, Policy


def of_draft(depot: Depot, policy: Policy = PLAIN) -> Policy:
    """The policy with what the depot pays for vans that keep to areas of their own and work equally long.

    Where it pays for that, the times of the draft that stands hold nobody back: they have been told to nobody.
    """
    if not (depot.overlap_seconds or depot.balance_percent):
        return policy
    overlap, uneven = depot.overlap_seconds, depot.balance_percent
    return dataclasses.replace(policy, overlap=overlap, uneven=uneven, moved_per_minute=0)
