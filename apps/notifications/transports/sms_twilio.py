"""SMS by Twilio's own SDK. With TWILIO_API_BASE it speaks to another host in the same way (the demo's phone)."""

import logging
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import requests
from django.conf import settings
from django.urls import reverse

from apps.notifications.transports.base import OutgoingMessage, SendResult, TransportError

if TYPE_CHECKING:
    from twilio.rest import Client

TIMEOUT_SECONDS = 5
# The SDK logs addresses and headers of every request at INFO.
log = logging.getLogger("doorstep.twilio")
log.setLevel(logging.WARNING)


class TwilioSms:
    def is_ready(self) -> bool:
        return bool(settings.TWILIO_ACCOUNT_SID and settings.TWILIO_AUTH_TOKEN and settings.TWILIO_FROM)

    def send(self, message: OutgoingMessage) -> SendResult:
        from twilio.base.exceptions import TwilioRestException

        client = _client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_API_BASE)
        callback = reverse("notifications:twilio_status", args=[message.reference])
        sender = "messaging_service_sid" if settings.TWILIO_FROM.startswith("MG") else "from_"
        try:
            answer = client.messages.create(
                to=message.to,
                body=message.text,
                status_callback=settings.PUBLIC_BASE_URL.rstrip("/") + callback,
                validity_period=message.valid_seconds,
                **{sender: settings.TWILIO_FROM},
            )
        except TwilioRestException as error:
            raise TransportError(str(error.code or error.status), permanent=error.status < 500) from None
        except requests.ReadTimeout:
            raise TransportError("timeout", permanent=False, maybe_sent=True) from None
        except requests.RequestException:
            raise TransportError("connection", permanent=False) from None
        return SendResult(provider_id=str(answer.sid or ""), status=str(answer.status or "queued"))


@cache
def _client(account: str, secret: str, base: str) -> "Client":
    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class PoliteHttpClient(TwilioHttpClient):
        """The SDK's own requests, sent to `base` if there is one; a 429 keeps its Retry-After."""

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if base:
                there, asked = urlsplit(base), urlsplit(url)
                path = there.path.rstrip("/") + asked.path
                url = urlunsplit((there.scheme, there.netloc, path, asked.query, ""))
            response = super().request(method, url, *args, **kwargs)
            if response.status_code == 429:
                pause = str((response.headers or {}).get("Retry-After", ""))
                seconds = float(pause) if pause.isdigit() else None
                raise TransportError("429", permanent=False, retry_after_seconds=seconds)
            return response

    return Client(account, secret, http_client=PoliteHttpClient(timeout=TIMEOUT_SECONDS, logger=log))
