"""When: windows the live plan can really hold, slot holds, the change itself, creation with a window, cancelling.

A window that fits nowhere at once is a WindowRequest, which the planner's process answers.

Announces nothing of its own: deliveries and routing speak. Hears that a day is over.
"""
