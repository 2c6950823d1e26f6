"""The floor everything stands on: clock, errors and their API shape, geometry, phones, encryption.

No models, imports no other app. Announces nothing, hears nothing.
"""
