"""What feedback announces. The delivery's id rides on the event; payloads are named behind each kind."""

RATED = "feedback.rated"  # stars: 1-5, nps: 0-10 | None, again: bool (an earlier rating was changed)
PROBLEM_REPORTED = "feedback.problem_reported"  # report: id, problem: code
PROBLEM_TAKEN = "feedback.problem_taken"  # report: id, problem: code
PROBLEM_CLOSED = "feedback.problem_closed"  # report: id, problem: code
ATTEMPT_DISPUTED = "feedback.attempt_disputed"  # dispute: id, attempt: number
DISPUTE_DECIDED = "feedback.dispute_decided"  # dispute: id, attempt: number, upheld: bool
MESSAGE_SENT = "feedback.message_sent"  # message: id, by: shopper | driver | desk, to_driver: bool
MESSAGE_DELIVERED = "feedback.message_delivered"  # message: id (the driver's phone has it)
MESSAGE_OPENED = "feedback.message_opened"  # message: id (the driver said so on the phone)
