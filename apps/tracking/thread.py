"""The document's key `thread`: whether a message can be written, who would read it, and what was said so far."""

from datetime import datetime
from typing import Any

from apps.feedback import rules as feedback_rules
from apps.feedback.models import ThreadMessage
from apps.tracking import rules
from apps.tracking.facts import Facts

Document = dict[str, Any]


def thread(facts: Facts, *, is_verified: bool, now: datetime) -> Document | None:
    """None when there is nothing to say any more; `reason` is a code while nothing can be written."""
    delivery = facts.delivery
    messages = facts.extras.thread if facts.extras else []
    reason = feedback_rules.thread_closed(delivery.state, delivery.merchant.policy)
    if reason == "ended" and not messages:
        return None
    return {
        "open": reason is None,
        "reason": reason,
        "reader": _reader(facts, now) if reason is None else None,
        "messages": [_line(message, is_verified) for message in messages],
    }


def _reader(facts: Facts, now: datetime) -> str:
    """The driver, as soon as the van may be seen; the desk before that and while the driver rests."""
    policy = facts.delivery.merchant.policy
    near = rules.van_is_near(facts.delivery.state, facts.progress, policy, now, metres=facts.metres)
    return "driver" if near else "desk"


def _line(message: ThreadMessage, is_verified: bool) -> Document:
    """What somebody wrote may name people, and a link is easily passed on: its words are for verified eyes."""
    return {
        "by": message.by,
        "to_driver": message.to_driver,
        "text": message.text or None if is_verified else None,
        "hidden": bool(message.text) and not is_verified,
        "sentence": message.sentence or None,
        "at": message.sent_at.isoformat(),
        "delivered": message.delivered_at is not None,
        "read": message.read_at.isoformat() if message.read_at else None,
    }
