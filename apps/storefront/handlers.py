"""What the storefront does when something happened to a delivery. Every handler may run twice and late."""

from typing import Any

from apps.storefront import idempotency, services

Payload = dict[str, Any]


def on_delivery(payload: Payload) -> None:
    """Asks for the webhooks; the calls themselves are made in a lane of their own, each endpoint on its own."""
    services.ask_for_webhooks(event_id=payload["event"], delivery_id=payload["delivery"])


def send_webhook(payload: Payload) -> None:
    services.send_webhook(endpoint_id=payload["endpoint"], event_id=payload["told"])


def on_night_begun(_payload: Payload) -> None:
    idempotency.forget_answers()
