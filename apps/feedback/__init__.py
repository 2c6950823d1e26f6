"""What people say afterwards: a rating, once and editable for a while; problem reports with photos, each a case;
disputes of failed attempts; messages between recipient, driver and desk while the delivery is on its way.

Announces feedback.rated, problem_reported, problem_taken, problem_closed, attempt_disputed, dispute_decided,
message_sent, message_delivered, message_opened.
Hears events.night_begun.
"""
