"""What the merchant's face does: orders in, webhooks out, one file per verb."""

from apps.storefront.services.add_endpoint import add_endpoint
from apps.storefront.services.create_delivery import cancel_delivery, create_delivery
from apps.storefront.services.send_webhook import ask_for_webhooks, disable_endpoint, send_webhook

__all__ = ["add_endpoint", "ask_for_webhooks", "cancel_delivery", "create_delivery", "disable_endpoint", "send_webhook"]
