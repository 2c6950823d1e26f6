"""Depots, vehicles, drivers and their device tokens, the roster, positions.

Announces nothing: a position is not an event. Hears nothing.
"""
