"""Whatever asks the plan about time: offers, holds, the change, creation with a window, calling off."""

from apps.rescheduling.services.change_window import change_window, hold_window
from apps.rescheduling.services.create_delivery import cancel_delivery, create_delivery
from apps.rescheduling.services.offer_windows import WindowOffer, offer_windows
from apps.rescheduling.services.roll_over import roll_over

__all__ = [
    "WindowOffer",
    "cancel_delivery",
    "change_window",
    "create_delivery",
    "hold_window",
    "offer_windows",
    "roll_over",
]
