"""Where else: the directory of pick-up points, reservations, the change of place, hand-out at the point.

Announces redirection.stored, redirection.handed_out.
Hears delivery.state_changed: what a delivery reserved is given back when it ends or turns round.
"""
