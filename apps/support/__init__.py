"""The agent's and dispatcher's face inside Django admin.

Announces nothing. Hears nothing.
"""
