"""Channel -> the class that serves it, imported on first use. See docs/how-to-add-a-transport.md."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.notifications.transports.base import Transport

TRANSPORTS: dict[str, str] = {
    "sms": "apps.notifications.transports.sms_twilio.TwilioSms",
    "email": "apps.notifications.transports.email.DjangoEmail",
}


def transport_of(channel: str) -> Transport:
    """The transport of a channel; settings.MESSAGE_TRANSPORTS may name another class for it."""
    chosen: dict[str, str] = {**TRANSPORTS, **getattr(settings, "MESSAGE_TRANSPORTS", {})}
    return _load(chosen[channel])


@cache
def _load(path: str) -> Transport:
    made: Transport = import_string(path)()
    return made
