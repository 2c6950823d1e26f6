"""Whatever asks the plan about time: offers, holds, the change, creation with a window, calling off."""

from apps.rescheduling.services.change_window import change_window, hold_window
from apps.rescheduling.services.create_delivery import cancel_delivery, create_delivery
from apps.rescheduling.services.look_harder import answer_request, look_harder, request_of
from apps.rescheduling.services.offer_windows import WindowOffer, offer_windows
from apps.rescheduling.services.roll_over import HOPELESS, roll_over

__all__ = [
    "HOPELESS",
    "WindowOffer",
    "answer_request",
    "cancel_delivery",
    "change_window",
    "create_delivery",
    "hold_window",
    "look_harder",
    "offer_windows",
    "request_of",
    "roll_over",
]
