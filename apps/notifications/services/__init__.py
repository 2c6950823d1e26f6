"""The only writers of messages: tell makes the row, send_message tries, record_status hears what became of a try.

forget_attempts lets the tries go when nobody asks about them any more; the messages stay.
"""

from apps.notifications.services.forget_attempts import forget_attempts
from apps.notifications.services.record_status import record_status
from apps.notifications.services.send_message import send_message
from apps.notifications.services.tell import tell

__all__ = ["forget_attempts", "record_status", "send_message", "tell"]
