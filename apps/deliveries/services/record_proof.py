"""Keeps what shows that a delivery was handed over, or why it was not."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.db import transaction

from apps.deliveries import events
from apps.deliveries.models import Delivery, Proof
from apps.deliveries.services.bump_pages import bump_pages
from apps.events.services import emit


def record_proof(
    *,
    delivery: Delivery,
    kind: str,
    taken_at: datetime,
    image: File | None = None,
    received_by: str = "",
    left_at: str = "",
    point: tuple[float, float] | None = None,
    details: Mapping[str, Any] | None = None,
    flags: Sequence[str] = (),
    actor: str = "system",
) -> Proof:
    """The proof; the same kind taken at the same instant again is the same proof. `point` is (latitude, longitude).

    `flags` are codes of what does not fit together; staff see them at the delivery.
    """
    latitude, longitude = point or (None, None)
    with transaction.atomic():
        proof, is_new = Proof.objects.get_or_create(
            delivery=delivery,
            kind=kind,
            taken_at=taken_at,
            defaults={
                "received_by": received_by[:120],
                "left_at": left_at[:40],
                "latitude": latitude,
                "longitude": longitude,
                "details": dict(details or {}),
                "flags": list(flags),
            },
        )
        if is_new and image is not None:
            proof.image.save(f"{secrets.token_urlsafe(16)}.jpg", image)
        if is_new and flags:
            emit(events.PROOF_FLAGGED, delivery_id=delivery.pk, payload={"flags": list(flags)}, actor=actor)
        bump_pages(delivery_ids=[delivery.pk])
    return proof
