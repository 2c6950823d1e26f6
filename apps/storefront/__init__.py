"""The merchant's face: REST API v1 and webhooks out.

Holds the kept answers of Idempotency-Keys and a row per webhook attempt. Announces storefront.endpoint_disabled.
Hears what happens to deliveries and tells the merchant's endpoints.
"""
