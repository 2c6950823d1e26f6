"""What the storefront announces."""

ENDPOINT_DISABLED = "storefront.endpoint_disabled"  # endpoint: id, reason: code
