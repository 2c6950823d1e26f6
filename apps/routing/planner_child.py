"""The one planner child of this process, started by the first question. Only `plan_worker` and tests ask it."""

from functools import cache

from apps.routing.planner.worker import Child


@cache
def child() -> Child:
    return Child()
