"""Depots, vehicles, drivers and their device tokens, the roster, positions.

Announces nothing: a position is not an event. Hears that the night has begun, and forgets old positions.
"""
