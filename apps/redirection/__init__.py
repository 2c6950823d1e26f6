"""Where else: the directory of pick-up points, reservations, the change of place, hand-out at the point.

Announces redirection.stored, redirection.handed_out. Hears the end of a delivery to release what it reserved.
"""
