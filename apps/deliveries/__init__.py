"""The nouns a parcel has, and their only writer; the transition table; the single gate for shoppers.

Announces delivery.created, delivery.window_changed, delivery.place_changed, delivery.state_changed, delivery.cancelled,
delivery.step_up_requested and their kin. Hears nothing.
"""
