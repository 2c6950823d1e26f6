"""Tenants: merchants with branding and policy, their users, API keys and webhook endpoints.

Announces merchant.changed. Hears nothing.
"""
