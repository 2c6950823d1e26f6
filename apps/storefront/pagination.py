"""Pages of a merchant's deliveries, newest first. The cursor is the last delivery's public id: it tells no counts."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.deliveries.models import Delivery
from apps.merchants.models import Merchant

LARGEST_PAGE = 100
PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Delivery]
    has_more: bool


def page_of(rows: QuerySet[Delivery], *, merchant: Merchant, cursor: str, limit: int) -> Page:
    """At most `limit` rows after the cursor; InvalidInput for a cursor that is none of this merchant's."""
    newest_first = rows.order_by("-pk")
    if cursor:
        last = Delivery.objects.filter(merchant=merchant, public_id=cursor)
        newest_first = newest_first.filter(pk__lt=last.values("pk")[:1])
    found = list(newest_first[: limit + 1])
    if cursor and not found and not last.exists():
        raise InvalidInput("cursor_unknown", _("This cursor does not belong to this list."))
    return Page(found[:limit], len(found) > limit)


def next_url(path: str, page: Page, query: dict[str, object]) -> str | None:
    """Where the next page is; built on the install's own address, never on the request's Host header."""
    if not page.has_more:
        return None
    again = {name: value for name, value in query.items() if value not in ("", None)}
    return f"{settings.PUBLIC_BASE_URL.rstrip('/')}{path}?{urlencode({**again, 'cursor': page.rows[-1].public_id})}"
