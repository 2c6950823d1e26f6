"""The merchant's face: REST API v1 and webhooks out.

Announces nothing. Hears what merchants subscribe to.
"""
