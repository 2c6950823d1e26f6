"""A Django e-mail backend that files mails on the demo's phone instead of sending them."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from apps.core import clock
from apps.demo.models import PhoneMessage


class PhoneInboxBackend(BaseEmailBackend):
    """EMAIL_BACKEND=apps.demo.mail.PhoneInboxBackend"""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            made = mail.message()
            for to in mail.recipients():
                PhoneMessage.objects.get_or_create(
                    provider_id=f"{made['Message-ID']} {to}"[:255],
                    defaults={
                        "channel": PhoneMessage.Channel.EMAIL,
                        "to": to,
                        "sender": mail.from_email,
                        "subject": str(mail.subject),
                        "body": str(mail.body),
                        "status": "delivered",
                        "arrived_at": clock.now(),
                    },
                )
        return len(email_messages)
