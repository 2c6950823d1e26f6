"""Where a merchant wants to be told."""

import base64
import secrets

from apps.merchants.models import Merchant, WebhookEndpoint
from apps.storefront.addresses import check_url

SECRET_BYTES = 32


def add_endpoint(*, merchant: Merchant, url: str) -> tuple[WebhookEndpoint, str]:
    """The row and its secret `whsec_...`, to be shown once. InvalidInput for an address no webhook may call."""
    check_url(url)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return WebhookEndpoint.objects.create(merchant=merchant, url=url, secret=secret), secret
