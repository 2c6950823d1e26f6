"""Keeps what somebody thought of a delivery: once, and for some hours to be changed by whoever said it."""

import hmac

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.encryption import sha256_hex
from apps.core.errors import InvalidInput, Refused, Stale
from apps.core.throttles import count_try
from apps.deliveries.access import Access, require_changeable
from apps.deliveries.services import bump_pages
from apps.events.services import emit
from apps.feedback import events
from apps.feedback.models import Rating
from apps.feedback.rules import LONGEST_COMMENT, editable_until, may_be_rated

# Each is an event that the merchant's systems hear of.
TRIES, TRIES_SECONDS = 20, 3600


def rate(*, access: Access, stars: int, comment: str = "", nps: int | None = None, author: str) -> Rating:
    """The rating. `author` is the secret of the browser it comes from; only that one, or the verified contact, may
    change it later, and for Policy.rating_edit_hours.

    Stale("already_rated") for anybody else; Refused when there is nothing to rate (yet) or the hours are over;
    InvalidInput for stars outside 1-5, a recommendation outside 0-10, a comment that is too long; Throttled after 20
    tries in an hour.
    """
    require_changeable(access)
    delivery, policy = access.delivery, access.delivery.merchant.policy
    if not may_be_rated(delivery.state, policy):
        raise Refused("not_ratable", _("There is nothing to rate yet."))
    count_try("rate", str(delivery.pk), limit=TRIES, seconds=TRIES_SECONDS)
    said = _checked(stars, comment, nps if policy.ask_recommendation else None)
    with transaction.atomic():
        rating = Rating.objects.select_for_update().filter(delivery=delivery).first()
        if rating is None:
            rating = _made(delivery.pk, said, author)
        else:
            _change(rating, said, access, author)
        again = rating.changed_at != rating.rated_at
        payload = {"stars": rating.stars, "nps": rating.nps, "again": again}
        emit(events.RATED, delivery_id=delivery.pk, payload=payload, actor="shopper")
        bump_pages(delivery_ids=[delivery.pk])
    return rating


def is_author(rating: Rating, author: str) -> bool:
    """Whether this browser's secret is the one that the rating was made with."""
    return bool(author) and hmac.compare_digest(rating.author_sha256, sha256_hex(author))


def _checked(stars: int, comment: str, nps: int | None) -> dict[str, object]:
    comment = " ".join(comment.replace("\0", "").split())
    if not 1 <= stars <= 5:
        raise InvalidInput("stars_unknown", _("Choose one to five stars."))
    if nps is not None and not 0 <= nps <= 10:
        raise InvalidInput("nps_unknown", _("Choose a number from 0 to 10."))
    if len(comment) > LONGEST_COMMENT:
        raise InvalidInput("comment_too_long", _("A comment has at most 600 characters."))
    return {"stars": stars, "comment": comment, "nps": nps}


def _made(delivery_id: int, said: dict[str, object], author: str) -> Rating:
    now = clock.now()
    try:
        with transaction.atomic():
            return Rating.objects.create(
                delivery_id=delivery_id, author_sha256=sha256_hex(author), rated_at=now, changed_at=now, **said
            )
    except IntegrityError:
        # Somebody was faster, between our look and our write.
        raise _already() from None


def _change(rating: Rating, said: dict[str, object], access: Access, author: str) -> None:
    if not access.is_verified and not is_author(rating, author):
        raise _already()
    if clock.now() >= editable_until(rating.rated_at, access.delivery.merchant.policy):
        raise Refused("rating_stands", _("The rating can no longer be changed."))
    for name, value in said.items():
        setattr(rating, name, value)
    rating.changed_at = clock.now()
    rating.save(update_fields=[*said, "changed_at"])


def _already() -> Stale:
    return Stale("already_rated", _("This delivery has been rated already."))
