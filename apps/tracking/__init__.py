"""The shopper's page: one document for first render, polling and socket; the hub that pushes it.

Announces nothing. Hears whatever changes what a page shows.
"""
