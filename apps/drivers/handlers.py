"""What a driver must hear of at once, and what happens when it is not confirmed."""

from typing import Any

from apps.deliveries.models import Delivery
from apps.drivers.models import Notice
from apps.drivers.services.forget_taps import forget_taps
from apps.drivers.services.notices import alarm, expect_reading, notice_change

Payload = dict[str, Any]


def on_window_changed(payload: Payload) -> None:
    notice_change(delivery_id=payload["delivery"], kind=Notice.Kind.WINDOW, event=payload["event"])


def on_place_changed(payload: Payload) -> None:
    notice_change(delivery_id=payload["delivery"], kind=Notice.Kind.PLACE, event=payload["event"])


def on_cancelled(payload: Payload) -> None:
    notice_change(delivery_id=payload["delivery"], kind=Notice.Kind.CANCELLED, event=payload["event"])


def on_instructions(payload: Payload) -> None:
    expect_reading(delivery_id=payload["delivery"], version=payload["version"])


def on_night_begun(_payload: Payload) -> None:
    forget_taps()


def look_whether_read(payload: Payload) -> None:
    if Delivery.objects.filter(pk=payload["delivery"]).exists():
        alarm(delivery_id=payload["delivery"], notice_id=payload.get("notice"), version=payload.get("version"))
