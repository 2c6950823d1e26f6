"""What the words of a message are made of, read when it is sent, so that a deferred text is still true."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation

from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Delivery, Place, Promise
from apps.deliveries.selectors import full_link_of, zone_of
from apps.deliveries.services import token_of, tracking_url
from apps.deliveries.words import day_words, reason_words, window_words
from apps.notifications import markup
from apps.notifications.catalogue import Trigger
from apps.notifications.models import Message
from apps.notifications.segments import one_line
from apps.notifications.wording import DOTS, known_language


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the message carries and no table may keep."""

    token: str
    code: str

    def hidden(self, text: str) -> str:
        for secret in (self.token, self.code):
            text = text.replace(secret, DOTS) if secret else text
        return text


def facts_of(message: Message, code: str = "") -> tuple[dict[str, Any], Secrets]:
    """The templates' values for this message, and the secrets among them."""
    delivery = message.delivery
    zone, window = zone_of(delivery), _window(message)
    # The buyer of somebody else's parcel may know that it arrived, not open its page.
    link = full_link_of(delivery.pk) if message.recipient_id == delivery.recipient_id else None
    url = tracking_url(link) if link else ""
    is_recipients = message.recipient_id == delivery.recipient_id
    with translation.override(known_language(message.language)):
        described = markup.parcel_delivery(delivery, window, link=url, is_recipients=is_recipients)
        facts = {
            "merchant": one_line(delivery.merchant.name, 40),
            "reference": one_line(delivery.order.reference, 40),
            "window": window_words(window.earliest, window.latest, zone=zone),
            "point": "" if delivery.place.kind == Place.Kind.ADDRESS else one_line(delivery.place.name, 40),
            "until": _until(delivery, zone),
            "reason": _reason(delivery),
            "code": code,
            "link": url,
            "markup": markup.script_text(described) if message.trigger != Trigger.CODE else "",
            "help_phone": delivery.merchant.help_phone,
            "help_email": delivery.merchant.help_email,
            "language": known_language(message.language),
        }
    return facts, Secrets(token_of(link) if link else "", code)


def _window(message: Message) -> TimeWindow:
    promise = Promise.objects.filter(delivery=message.delivery_id, version=message.promise_version).first()
    return TimeWindow(promise.earliest, promise.latest) if promise else message.delivery.window


def _until(delivery: Delivery, zone: ZoneInfo) -> str:
    if delivery.collect_until is None:
        return ""
    local = delivery.collect_until.astimezone(zone)
    return f"{day_words(local)}, {local:%H:%M}"


def _reason(delivery: Delivery) -> str:
    last = delivery.attempts.exclude(reason_code="").order_by("-number").first()
    return reason_words(last.reason_code if last else "")
