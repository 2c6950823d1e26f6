"""What feedback announces. The delivery's id rides on the event; payloads are named behind each kind."""

RATED = "feedback.rated"  # stars: 1-5, nps: 0-10 | None, again: bool (an earlier rating was changed)
PROBLEM_REPORTED = "feedback.problem_reported"  # report: id, problem: code
PROBLEM_TAKEN = "feedback.problem_taken"  # report: id, problem: code
PROBLEM_CLOSED = "feedback.problem_closed"  # report: id, problem: code
ATTEMPT_DISPUTED = "feedback.attempt_disputed"  # dispute: id, attempt: number
DISPUTE_DECIDED = "feedback.dispute_decided"  # dispute: id, attempt: number, upheld: bool
