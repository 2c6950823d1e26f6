"""What people say afterwards: a rating, once and editable for a while; problem reports with photos, each a case;
disputes of failed attempts.

Announces feedback.rated, problem_reported, problem_taken, problem_closed, attempt_disputed, dispute_decided.
Hears events.night_begun.
"""
