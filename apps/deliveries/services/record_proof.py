"""Keeps the proof that a delivery was handed over."""

import secrets
from datetime import datetime

from django.core.files.base import File
from django.db import transaction

from apps.deliveries.models import Delivery, Proof
from apps.deliveries.services.bump_pages import bump_pages


def record_proof(
    *,
    delivery: Delivery,
    kind: str,
    taken_at: datetime,
    image: File | None = None,
    received_by: str = "",
    left_at: str = "",
    point: tuple[float, float] | None = None,
) -> Proof:
    """The proof; the same kind taken at the same instant again is the same proof. `point` is (latitude, longitude)."""
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
            },
        )
        if is_new and image is not None:
            proof.image.save(f"{secrets.token_urlsafe(16)}.jpg", image)
        bump_pages(delivery_ids=[delivery.pk])
    return proof
