"""Tells one endpoint of one event: a row before each try and after it, tried again on a fixed schedule."""

import json
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from apps.core import clock
from apps.deliveries.models import Delivery
from apps.events.models import Event
from apps.events.services import PermanentFailure, RetryLater, emit, react
from apps.merchants.models import WebhookEndpoint
from apps.storefront import events, outbound, rules
from apps.storefront.addresses import AddressBlocked, parsed
from apps.storefront.models import WebhookAttempt

# A dead endpoint may hold up the lane of webhooks once in so many wall seconds, however much there is to tell it.
SILENCE_SECONDS = 60
HANDLER = "apps.storefront.handlers.send_webhook"
Outcome = WebhookAttempt.Outcome


def ask_for_webhooks(*, event_id: int, delivery_id: int) -> int:
    """One reaction for each live endpoint of the delivery's merchant, so that each fails alone; how many were asked."""
    endpoints = WebhookEndpoint.objects.filter(merchant__deliveries=delivery_id, is_active=True)
    told = WebhookAttempt.objects.filter(event_id=event_id).values("endpoint")
    asked = 0
    for endpoint_id in endpoints.exclude(pk__in=told).values_list("pk", flat=True):
        asked += _ask(endpoint_id, event_id, delivery_id)
    return asked


def send_webhook(*, endpoint_id: int, event_id: int) -> None:
    """Tries once. RetryLater until the schedule's end, then PermanentFailure and the endpoint is switched off.

    An event that was accepted, or an endpoint that is off, is nothing to do.
    """
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).first()
    event = Event.objects.filter(pk=event_id).first()
    attempts = WebhookAttempt.objects.filter(endpoint=endpoint_id, event_id=event_id)
    if endpoint is None or event is None or attempts.filter(outcome=Outcome.ACCEPTED).exists():
        return
    if not attempts.exists() and _is_silent(endpoint):
        _ask(endpoint_id, event_id, event.delivery_id, delay_seconds=SILENCE_SECONDS)
        return
    attempt = _begin(endpoint, event)
    if attempt is None:
        return
    head = _try(endpoint, event, attempt)
    attempt.ended_at = clock.wall()
    attempt.save(update_fields=["outcome", "status", "reason", "ended_at"])
    if attempt.outcome == Outcome.ACCEPTED:
        return
    wait = rules.pause_after(attempt.number, attempt.status, head.retry_after_seconds if head else None)
    if wait is not None:
        raise RetryLater(wait, f"webhook_{attempt.outcome}")
    disable_endpoint(endpoint_id=endpoint_id, reason="gone" if attempt.status == rules.GONE else attempt.outcome)
    raise PermanentFailure("webhook_given_up")


def disable_endpoint(*, endpoint_id: int, reason: str) -> bool:
    """Switches the endpoint off and says so, once; False when it was off."""
    with transaction.atomic():
        switched = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True).update(is_active=False)
        if switched:
            emit(events.ENDPOINT_DISABLED, payload={"endpoint": endpoint_id, "reason": reason})
    return bool(switched)


def _ask(endpoint_id: int, event_id: int, delivery_id: int | None, delay_seconds: float = 0.0) -> bool:
    reaction = react(
        HANDLER,
        payload={"endpoint": endpoint_id, "told": event_id},
        dedupe_key=f"webhook:{endpoint_id}:{event_id}",
        delivery_id=delivery_id,
        delay_seconds=delay_seconds,
    )
    return reaction is not None


def _is_silent(endpoint: WebhookEndpoint) -> bool:
    """Whether its last try just went unanswered: further messages wait, so that nobody else has to wait for it."""
    last = WebhookAttempt.objects.filter(endpoint=endpoint).exclude(ended_at=None).order_by("-ended_at").first()
    if last is None or last.ended_at is None or last.outcome not in (Outcome.TIMED_OUT, Outcome.UNREACHABLE):
        return False
    return clock.wall() - last.ended_at < timedelta(seconds=SILENCE_SECONDS)


def _begin(endpoint: WebhookEndpoint, event: Event) -> WebhookAttempt | None:
    """The row of a new try; None when another process has just begun the same one."""
    rows = WebhookAttempt.objects.filter(endpoint=endpoint, event_id=event.pk)
    try:
        with transaction.atomic():
            rows.filter(outcome=Outcome.STARTED).update(outcome=Outcome.LOST)
            return WebhookAttempt.objects.create(
                endpoint=endpoint,
                event_id=event.pk,
                kind=event.kind,
                message_id=rules.message_id(settings.LINK_KEY, endpoint.pk, event.pk),
                number=(rows.aggregate(last=Max("number"))["last"] or 0) + 1,
                started_at=clock.wall(),
            )
    except IntegrityError:
        return None


def _try(endpoint: WebhookEndpoint, event: Event, attempt: WebhookAttempt) -> outbound.Head | None:
    """Writes onto `attempt` how it went. No transaction is open while the network is waited for."""
    public_id = Delivery.objects.values_list("public_id", flat=True).get(pk=event.delivery_id or 0)
    body = json.dumps(rules.content(event.kind, event.at, public_id, event.payload), separators=(",", ":"))
    headers = rules.signed_headers(endpoint.secret, attempt.message_id, attempt.started_at, body)
    try:
        head = outbound.post(parsed(endpoint.url), body.encode(), headers)
    except AddressBlocked as error:
        attempt.outcome, attempt.reason = Outcome.BLOCKED, error.code
        return None
    except outbound.Unreachable as error:
        timed_out = error.code == "timed_out"
        attempt.outcome, attempt.reason = Outcome.TIMED_OUT if timed_out else Outcome.UNREACHABLE, error.code
        return None
    attempt.status = head.status
    attempt.outcome = Outcome.ACCEPTED if 200 <= head.status < 300 else Outcome.REJECTED
    return head
