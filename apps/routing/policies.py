"""What a plan is judged by while it is a draft, as its depot is set."""

import dataclasses

from apps.fleet.models import Depot
from apps.routing.planner.limits import PLAIN, Policy


def of_draft(depot: Depot, policy: Policy = PLAIN) -> Policy:
    """The policy with what the depot pays for vans that keep to areas of their own and work equally long."""
    return dataclasses.replace(policy, overlap=depot.overlap_seconds, uneven=depot.balance_percent)
