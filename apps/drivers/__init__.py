"""The driver's phone page and position ingest; the depot clerk's load scan.

Announces nothing of its own: deliveries, routing and instructions speak. Hears nothing.
"""
