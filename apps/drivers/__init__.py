"""The driver's phone page and position ingest; the depot clerk's load scan; the counter page of a pick-up point.

Announces nothing of its own: deliveries, routing, instructions and redirection speak. Hears nothing.
"""
