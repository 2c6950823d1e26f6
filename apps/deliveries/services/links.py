"""Tracking links. A token is derived, shown, never stored; the row keeps the SHA-256 to find it by."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import NoReverseMatch, reverse

from apps.core import clock
from apps.core.encryption import keyed_digest, sha256_hex
from apps.deliveries import events
from apps.deliveries.models import Delivery, Link
from apps.events.services import emit

TOKEN_BYTES = 24
# For a merchant without a policy of its own.
LINK_DAYS = 30
_OPENED_EVERY = timedelta(minutes=1)


def make_link(*, delivery: Delivery, kind: str = Link.Kind.FULL) -> Link:
    """A new link that lives until some days after the delivery's end (Policy.link_days)."""
    with transaction.atomic():
        link = Link.objects.create(delivery=delivery, kind=kind, created_at=clock.now())
        link.token_sha256 = sha256_hex(token_of(link))
        link.save(update_fields=["token_sha256"])
    return link


def token_of(link: Link) -> str:
    """The 192-bit token in 32 URL-safe characters."""
    digest = keyed_digest(settings.LINK_KEY, "link", link.pk, link.generation)
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()


def tracking_path(link: Link) -> str:
    token = token_of(link)
    try:
        return reverse("tracking:page", args=[token])
    except NoReverseMatch:
        return f"/t/{token}"


def tracking_url(link: Link) -> str:
    return settings.PUBLIC_BASE_URL.rstrip("/") + tracking_path(link)


def find_link(token: str) -> Link | None:
    """The link with this token, dead or alive, with what a page needs joined; None when there is none.

    Anything may be handed in: the look-up is by digest, so its time says nothing about near misses.
    """
    digest = sha256_hex(token.encode("utf-8", "replace").decode("utf-8"))
    return (
        Link.objects.select_related(
            "delivery__merchant__policy", "delivery__merchant__branding", "delivery__place", "delivery__recipient"
        )
        .filter(token_sha256=digest)
        .first()
    )


def is_alive(link: Link) -> bool:
    return link.revoked_at is None and (link.expires_at is None or link.expires_at > clock.now())


def rotate_link(*, link: Link, actor: str) -> Link:
    """Gives the link a new token; the old one, and every verification made with it, is dead at once."""
    with transaction.atomic():
        Link.objects.filter(pk=link.pk).update(generation=F("generation") + 1)
        link.refresh_from_db(fields=["generation"])
        link.token_sha256 = sha256_hex(token_of(link))
        link.save(update_fields=["token_sha256"])
        _withdraw_shares(link)
        emit(events.LINK_ROTATED, delivery_id=link.delivery_id, payload={"link": link.pk}, actor=actor)
    return link


def rotate_links(*, delivery_id: int, actor: str) -> None:
    """Gives all living links of the recipient new tokens; shared ones are withdrawn."""
    for link in Link.objects.filter(delivery=delivery_id, kind=Link.Kind.FULL, revoked_at=None).order_by("pk"):
        rotate_link(link=link, actor=actor)


def revoke_link(*, link: Link, actor: str) -> None:
    with transaction.atomic():
        if Link.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=clock.now()):
            _withdraw_shares(link)
            emit(events.LINK_ROTATED, delivery_id=link.delivery_id, payload={"link": link.pk}, actor=actor)


def _withdraw_shares(link: Link) -> None:
    """Whoever had the link may have handed it on."""
    Link.objects.filter(shared_from=link, revoked_at=None).update(revoked_at=clock.now())


def expire_links(*, delivery_ids: Sequence[int]) -> None:
    """Lets the links of ended deliveries die Policy.link_days from now, unless they die sooner."""
    now = clock.now()
    days_by_id = Delivery.objects.filter(pk__in=delivery_ids).values_list("pk", "merchant__policy__link_days")
    by_days: dict[int, list[int]] = {}
    for delivery_id, days in days_by_id:
        by_days.setdefault(LINK_DAYS if days is None else days, []).append(delivery_id)
    for days, ids in by_days.items():
        end = now + timedelta(days=days)
        longer = Q(expires_at=None) | Q(expires_at__gt=end)
        Link.objects.filter(longer, delivery__in=ids).update(expires_at=end)


def was_opened_lately(last_opened_at: datetime | None) -> bool:
    """Whether the last look is recent enough that another one is not noted."""
    return last_opened_at is not None and clock.now() - last_opened_at < _OPENED_EVERY


def note_opened(*, link: Link) -> None:
    """Records that a person looked, at most once a minute."""
    now = clock.now()
    if was_opened_lately(link.last_opened_at):
        return
    Link.objects.filter(pk=link.pk).update(last_opened_at=now, first_opened_at=Coalesce("first_opened_at", now))
