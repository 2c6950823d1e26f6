"""The driver's phone page and position ingest; the depot clerk's load scan; the counter page of a pick-up point.

Announces what drivers do not confirm in time; hears changes that reach a van under way.
"""
