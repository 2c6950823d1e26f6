"""A transport that files texts straight on the demo's phone: for loading a day, when no server is up to play Twilio."""

from apps.core import clock
from apps.demo.models import PhoneMessage
from apps.notifications.transports.base import OutgoingMessage, SendResult


class DirectSms:
    def is_ready(self) -> bool:
        return True

    def send(self, message: OutgoingMessage) -> SendResult:
        provider_id = f"SM{message.key}"[:255]
        PhoneMessage.objects.get_or_create(
            provider_id=provider_id,
            defaults={
                "channel": PhoneMessage.Channel.SMS,
                "to": message.to,
                "sender": message.sender_name,
                "body": message.text,
                "status": "delivered",
                "arrived_at": clock.now(),
            },
        )
        return SendResult(provider_id=provider_id, status="delivered")
