"""Links that a customer hands on: each its own, to look only, with an end of its own."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotAllowed, NotFound, Refused
from apps.core.throttles import count_try
from apps.deliveries import events
from apps.deliveries.models import Link
from apps.deliveries.services.links import make_link, revoke_link
from apps.events.services import emit

MOST_SHARES, MOST_AN_HOUR = 10, 30
LONGEST_LABEL = 40


def share_link(*, link: Link, label: str = "", days: int) -> Link:
    """A view-only link that lives `days` days at most, and never longer than the one it was made from.

    NotAllowed for a link that may itself only look; Refused when there are MOST_SHARES living ones; Throttled after 30
    in an hour, because rows of stopped ones stay.
    """
    if link.kind != Link.Kind.FULL:
        raise NotAllowed("view_only", _("This link shows the delivery. It cannot change it."))
    count_try("share", str(link.delivery_id), limit=MOST_AN_HOUR, seconds=3600)
    label = " ".join(label.replace("\0", "").split())[:LONGEST_LABEL]
    until = clock.now() + timedelta(days=max(1, days))
    if link.expires_at is not None:
        until = min(until, link.expires_at)
    with transaction.atomic():
        # The row lock makes parallel shares count one another.
        Link.objects.select_for_update().values_list("pk").get(pk=link.pk)
        if len(shares_of(link)) >= MOST_SHARES:
            raise Refused("too_many_shares", _("You have shared this delivery ten times. Stop one of them first."))
        made = make_link(delivery=link.delivery, kind=Link.Kind.VIEW)
        made.shared_from, made.label, made.expires_at = link, label, until
        made.save(update_fields=["shared_from", "label", "expires_at"])
        emit(events.LINK_SHARED, delivery_id=link.delivery_id, payload={"link": made.pk}, actor="shopper")
    return made


def shares_of(link: Link) -> list[Link]:
    """The living links made from this one, newest first."""
    now = clock.now()
    living = Link.objects.filter(shared_from=link, revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return list(living.order_by("-pk"))


def stop_sharing(*, link: Link, share_id: int) -> None:
    """Withdraws a link made from this one; NotFound for any other."""
    share = Link.objects.filter(pk=share_id, shared_from=link).first() if link.kind == Link.Kind.FULL else None
    if share is None:
        raise NotFound("link_not_found", _("This link does not open a delivery."))
    revoke_link(link=share, actor="shopper")
