"""A delivery's tracking links as an agent sees them: whose, alive or not, when looked at; never their tokens."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import clock
from apps.deliveries.models import Link
from apps.deliveries.words import day_words


@dataclass(frozen=True, slots=True)
class LinkLine:
    pk: int
    kind: str
    state: str
    opened: str
    is_alive: bool


def link_lines(links: Iterable[Link], zone: ZoneInfo) -> list[LinkLine]:
    """The living ones first, the newest of each on top."""
    return sorted((_line(link, zone) for link in links), key=lambda line: (not line.is_alive, -line.pk))


def _line(link: Link, zone: ZoneInfo) -> LinkLine:
    expired = link.expires_at is not None and link.expires_at <= clock.now()
    if link.revoked_at:
        state = _("Withdrawn %(moment)s") % {"moment": _moment(link.revoked_at, zone)}
    elif link.expires_at:
        words = _("Ended %(moment)s") if expired else _("Lives until %(moment)s")
        state = words % {"moment": _moment(link.expires_at, zone)}
    else:
        state = _("Lives as long as the delivery, and some days more")
    if link.generation > 1:
        times = link.generation - 1
        state += " · " + ngettext("replaced once", "replaced %(count)d times", times) % {"count": times}
    opened = link.last_opened_at
    return LinkLine(
        pk=link.pk,
        kind=str(link.get_kind_display()),
        state=state,
        opened=_("last opened %(moment)s") % {"moment": _moment(opened, zone)} if opened else _("never opened"),
        is_alive=link.revoked_at is None and not expired,
    )


def _moment(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{day_words(local)}, {local:%H:%M}"
