"""What a driver does on the road. Only today's own stops can be touched, and every call may be repeated."""

from apps.drivers.services.give_up import fail
from apps.drivers.services.go import Outcome, acknowledge, arrive, contact, depart, read_notice, reveal_code
from apps.drivers.services.hand_over import complete
from apps.drivers.services.messages import read_message, take_messages
from apps.drivers.services.notices import alarm, notice_change
from apps.drivers.services.record_fixes import record_fixes
from apps.drivers.services.replay import Told, replay
from apps.drivers.services.rest import break_down, rest

__all__ = [
    "Outcome",
    "Told",
    "acknowledge",
    "alarm",
    "arrive",
    "break_down",
    "complete",
    "contact",
    "depart",
    "fail",
    "notice_change",
    "read_message",
    "read_notice",
    "record_fixes",
    "replay",
    "rest",
    "reveal_code",
    "take_messages",
]
