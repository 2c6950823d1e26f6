"""What the storefront does beyond passing requests on: webhooks out, one file per verb."""

from apps.storefront.services.add_endpoint import add_endpoint
from apps.storefront.services.send_webhook import ask_for_webhooks, disable_endpoint, send_webhook

__all__ = ["add_endpoint", "ask_for_webhooks", "disable_endpoint", "send_webhook"]
