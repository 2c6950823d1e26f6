"""The only writers of feedback, one file per verb."""

from apps.feedback.services.dispute_attempt import decide_dispute, dispute_attempt
from apps.feedback.services.forget_photos import forget_photos
from apps.feedback.services.forget_words import forget_words
from apps.feedback.services.rate import is_author, rate
from apps.feedback.services.read_message import note_delivered, read_message
from apps.feedback.services.report_problem import close_report, report_problem, take_report
from apps.feedback.services.write_message import answer_message, write_message

__all__ = [
    "answer_message",
    "close_report",
    "decide_dispute",
    "dispute_attempt",
    "forget_photos",
    "forget_words",
    "is_author",
    "note_delivered",
    "rate",
    "read_message",
    "report_problem",
    "take_report",
    "write_message",
]
