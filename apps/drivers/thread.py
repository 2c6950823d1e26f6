"""What the people of a stop wrote to its driver, and what the driver said of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.feedback.models import ThreadMessage
from apps.feedback.rules import READY_SENTENCES


@dataclass(frozen=True, slots=True)
class Written:
    """One message to this driver. `answer` is the ready sentence it was answered with, in words."""

    id: int
    text: str
    is_read: bool
    is_delivered: bool
    answer: str


def written_to_driver(thread: Iterable[ThreadMessage]) -> tuple[Written, ...]:
    """The messages for the driver among all of a delivery, oldest first."""
    rows = sorted(thread, key=lambda row: (row.sent_at, row.pk))
    answers = {row.form_key: row.sentence for row in rows if row.by == ThreadMessage.By.DRIVER}
    return tuple(
        Written(
            id=row.pk,
            text=row.text,
            is_read=row.read_at is not None,
            is_delivered=row.delivered_at is not None,
            answer=str(READY_SENTENCES.get(answers.get(f"answer-{row.pk}", ""), "")),
        )
        for row in rows
        if row.to_driver
    )
