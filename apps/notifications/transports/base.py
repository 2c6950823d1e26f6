"""What a transport is: one method that sends one message, and one error that says whether trying again may help."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """`reference` is the attempt's public id; `key` stays the same over all tries of one message."""

    to: str
    sender_name: str
    subject: str
    text: str
    html: str
    reference: str
    key: str
    reply_to: str = ""
    valid_seconds: int = 14_400


@dataclass(frozen=True, slots=True)
class SendResult:
    """`status` is one of rules.RANKS."""

    provider_id: str
    status: str


class TransportError(Exception):
    """The provider did not take the message.

    `permanent`: the same message will never be taken. `maybe_sent`: the answer was lost, so it may have been taken.
    `code` is the provider's own number; `retry_after_seconds` what it asked for. Never carries the text or the person.
    """

    def __init__(
        self, code: str, *, permanent: bool, maybe_sent: bool = False, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.permanent = permanent
        self.maybe_sent = maybe_sent
        self.retry_after_seconds = retry_after_seconds


class Transport(Protocol):
    def is_ready(self) -> bool:
        """False when this install has no account for it; the next channel is used then."""

    def send(self, message: OutgoingMessage) -> SendResult:
        """Hands the message over; raises TransportError."""
