"""Every fact a person is told: to whom, over which channels, and whether it may wait until morning."""

from dataclasses import dataclass
from enum import StrEnum


class Trigger(StrEnum):
    CONFIRMED = "confirmed"
    OUT_TODAY = "out_today"
    NEXT_STOP = "next_stop"
    DELIVERED = "delivered"
    ALL_DELIVERED = "all_delivered"
    CHANGED = "changed"
    CODE = "code"
    READY_TO_COLLECT = "ready_to_collect"
    FAILED = "failed"
    NOT_AS_AGREED = "not_as_agreed"
    CANCELLED = "cancelled"


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue.

    `channels` in order of preference: the first that the person has is used, the next only if that one fails.
    `may_wait`: quiet hours defer it. `looks_ahead`: pointless once the delivery has ended; `promises`: also once a
    newer promise was made; `while_out`: also once it is no longer out for delivery.
    `tells_buyer`: a buyer who is someone else hears of it too, without a link.
    """

    channels: tuple[Channel, ...]
    may_wait: bool = True
    looks_ahead: bool = False
    promises: bool = False
    while_out: bool = False
    tells_buyer: bool = False


TEXT_FIRST = (Channel.SMS, Channel.EMAIL)
MAIL_FIRST = (Channel.EMAIL, Channel.SMS)

CATALOGUE: dict[Trigger, Entry] = {
    Trigger.CONFIRMED: Entry(MAIL_FIRST, looks_ahead=True, promises=True),
    Trigger.OUT_TODAY: Entry(TEXT_FIRST, looks_ahead=True, promises=True),
    Trigger.NEXT_STOP: Entry(TEXT_FIRST, may_wait=False, looks_ahead=True, while_out=True),
    Trigger.DELIVERED: Entry(MAIL_FIRST, tells_buyer=True),
    Trigger.ALL_DELIVERED: Entry(MAIL_FIRST, tells_buyer=True),
    Trigger.CHANGED: Entry(TEXT_FIRST, looks_ahead=True, promises=True),
    Trigger.CODE: Entry(TEXT_FIRST, may_wait=False),
    Trigger.READY_TO_COLLECT: Entry(TEXT_FIRST),
    Trigger.FAILED: Entry(TEXT_FIRST),
    Trigger.NOT_AS_AGREED: Entry(TEXT_FIRST, looks_ahead=True, promises=True),
    Trigger.CANCELLED: Entry(MAIL_FIRST, tells_buyer=True),
}
