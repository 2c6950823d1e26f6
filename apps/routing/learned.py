"""What the past taught, as the plan uses it: the newest night's fit, read once per process."""

from datetime import datetime

from apps.routing.models import LearnedModel
from apps.routing.planner.replay import Learned

_NOTHING = Learned()
_kept: dict[tuple[int, datetime], Learned] = {}


def current() -> Learned:
    """The newest fit; one that changes nothing where there is none yet."""
    key = LearnedModel.objects.order_by("-pk").values_list("pk", "made_at").first()
    if key is None:
        return _NOTHING
    if key not in _kept:
        found = Learned.from_json(LearnedModel.objects.values_list("content", flat=True).get(pk=key[0]))
        _kept.clear()
        _kept[key] = found
    return _kept[key]
