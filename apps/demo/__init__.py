"""A real country's day and the simulator that drives it through the public interfaces only.

Absent unless DEMO=1, and then on loopback only. Announces nothing. Hears nothing.
"""
