"""The only writers of feedback, one file per verb."""

from apps.feedback.services.dispute_attempt import decide_dispute, dispute_attempt
from apps.feedback.services.forget_photos import forget_photos
from apps.feedback.services.forget_words import forget_words
from apps.feedback.services.rate import is_author, rate
from apps.feedback.services.report_problem import close_report, report_problem, take_report

__all__ = [
    "close_report",
    "decide_dispute",
    "dispute_attempt",
    "forget_photos",
    "forget_words",
    "is_author",
    "rate",
    "report_problem",
    "take_report",
]
