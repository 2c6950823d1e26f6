"""E-mail by whatever backend Django is given. A repeated message has the same Message-ID, so mailboxes show one."""

import smtplib
from email.utils import formataddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from apps.notifications.transports.base import OutgoingMessage, SendResult, TransportError


class DjangoEmail:
    def is_ready(self) -> bool:
        return bool(settings.DEFAULT_FROM_EMAIL)

    def send(self, message: OutgoingMessage) -> SendResult:
        message_id = f"<{message.key}@{urlsplit(settings.PUBLIC_BASE_URL).hostname}>"
        mail = EmailMultiAlternatives(
            subject=message.subject,
            body=message.text,
            from_email=formataddr((message.sender_name, settings.DEFAULT_FROM_EMAIL)),
            to=[message.to],
            reply_to=[message.reply_to] if message.reply_to else None,
            headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(message.html, "text/html")
        try:
            mail.send()
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()), (550, b""))[0]
            raise TransportError(str(code), permanent=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            raise TransportError(str(error.smtp_code), permanent=error.smtp_code >= 500) from None
        except (smtplib.SMTPException, OSError):
            raise TransportError("connection", permanent=False) from None
        return SendResult(provider_id=message_id, status="sent")
