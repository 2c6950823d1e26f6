"""Addresses: normalising, geocoding against the install's own index, opening hours, holidays.

Announces nothing. Hears nothing.
"""
