"""What people say afterwards: a rating, once and editable for a while; problem reports with photos, each a case.

Announces feedback.rated, feedback.problem_reported, feedback.problem_taken, feedback.problem_closed.
Hears nothing.
"""
