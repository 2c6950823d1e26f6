"""What phones say of a stop, read with care: form fields and files, or JSON, or a batch of what was kept."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import DoorstepError, InvalidInput
from apps.core.geo import is_coordinate
from apps.drivers.inputs import MOST_JSON_BYTES, fields_of, instant_of, number_of, word_of
from apps.drivers.rules import IN_PERSON, LONGEST_NOTE, Shown, clean_name
from apps.drivers.services import Told

MOST_SCANNED = 200
MOST_PICTURES = 40
WITHOUT, CODE, PAID = "without-", "code-", "paid-"
OLDEST = timedelta(hours=24)

Fields = Mapping[str, Any]


def shown_of(fields: Fields, files: MultiValueDict[str, Any] | None = None, prefix: str = "") -> Shown:
    """`files` are found under "photo" and "signature", with the event's id before them in a batch."""
    found: MultiValueDict[str, Any] = files if files is not None else MultiValueDict()
    return Shown(
        photos=tuple(found.getlist(f"{prefix}photo")),
        signature=found.get(f"{prefix}signature"),
        signed_by_name=_is_ticked(fields.get("signed_by_name")),
        received_by=clean_name(word_of(fields.get("received_by"))),
        relation=word_of(fields.get("relation")),
        left_at=word_of(fields.get("left_at")) or IN_PERSON,
        code=word_of(fields.get("code"), 40),
        codes=_by_delivery(fields, "codes", CODE),
        without_code=_sentence(fields.get("without_code")),
        scanned=_scanned(fields.get("scanned")),
        age_method=word_of(fields.get("age_method")),
        age_confirmed=_is_ticked(fields.get("age_confirmed")),
        paid_by=word_of(fields.get("paid_by")),
        paid=_money(fields.get("paid")),
        payments=_payments(fields),
        staff_note=_sentence(fields.get("staff_note")),
        recipient_note=_sentence(fields.get("recipient_note")),
        at_place=_place(fields.get("lat"), fields.get("lon")),
        without=_by_delivery(fields, "without", WITHOUT),
        anyway=anyway_of(fields),
    )


def anyway_of(fields: Fields) -> str:
    """Why a stop is given up although something speaks against it."""
    return _sentence(fields.get("anyway"))


def batch_of(request: HttpRequest) -> tuple[list[Told], bool]:
    """The events of a batch, and whether more batches follow.

    JSON {"events": [...], "sent_at", "more"} or the bare list; or a form with the same as text in `events` and the
    pictures as files named after their event: "<id>.photo", "<id>.signature".
    """
    fields = _batch_fields(request)
    rows = fields.get("events")
    if isinstance(rows, str):
        rows = _loaded(rows)
    if not isinstance(rows, list):
        raise _unreadable()
    if sum(len(files) for _name, files in request.FILES.lists()) > MOST_PICTURES:
        raise InvalidInput("too_many_pictures", _("That was too much at once."))
    moment = _moments(fields.get("sent_at"))
    return [_told(row, request.FILES, moment) for row in rows], _is_ticked(fields.get("more"))


def _batch_fields(request: HttpRequest) -> dict[str, Any]:
    if request.content_type == "application/json" and request.body.lstrip()[:1] == b"[":
        if len(request.body) > MOST_JSON_BYTES:
            raise InvalidInput("body_too_large", _("That was too much at once."))
        return {"events": request.body.decode("utf-8", "replace")}
    return fields_of(request)


def _told(row: Any, files: MultiValueDict[str, Any], moment: Callable[[Any], datetime]) -> Told:
    if not isinstance(row, dict):
        raise _unreadable()
    known = word_of(row.get("id"), 65)
    if not 8 <= len(known) <= 64 or not known.isascii() or not known.isprintable():
        raise _unreadable()
    kind = word_of(row.get("kind"), 16)
    try:
        return _read(known, kind, row, files, moment)
    except DoorstepError as error:
        # One slip of the finger is answered by itself; what else lies in the batch is somebody else's proof.
        return Told(id=known, kind=kind, at=clock.now(), fault=error)


def _read(
    known: str, kind: str, row: Fields, files: MultiValueDict[str, Any], moment: Callable[[Any], datetime]
) -> Told:
    return Told(
        id=known,
        kind=kind,
        at=moment(row.get("at")),
        visit=_number(row.get("visit")),
        delivery=word_of(row.get("delivery"), 24),
        version=_number(row.get("version")),
        notice=_number(row.get("notice")),
        message=_number(row.get("message")),
        sentence=word_of(row.get("sentence"), 16),
        reason=word_of(row.get("reason"), 40),
        channel=word_of(row.get("channel"), 10),
        anyway=anyway_of(row),
        begins=_is_ticked(row.get("begins")),
        shown=shown_of(row, files, f"{known}."),
    )


def _moments(sent_at: Any) -> Callable[[Any], datetime]:
    """How instants of the phone become the domain's.

    With `sent_at`, the phone's own time when it sends, only the time that passed on the phone counts: its clock may be
    wrong, and the demo's day runs faster than any phone.
    """
    sent, now = instant_of(sent_at), clock.now()

    def moment(value: Any) -> datetime:
        at = instant_of(value)
        if at is None:
            return now
        if sent is None:
            return at
        passed = min(max(sent - at, timedelta(0)), OLDEST)
        return now - passed * settings.CLOCK_SPEED

    return moment


def _scanned(value: Any) -> tuple[str, ...]:
    words = value if isinstance(value, list) else word_of(value, 8000).replace(",", "\n").splitlines()
    kept = (word_of(word, 40).strip() for word in words[:MOST_SCANNED])
    return tuple(dict.fromkeys(word for word in kept if word))


def _payments(fields: Fields) -> dict[str, int]:
    """{delivery: minor units}: a JSON object "payments", or form fields "paid-<delivery>"."""
    given = {word_of(key, 24): _money(value) for key, value in _rows(fields, "payments", PAID).items()}
    return {key: paid for key, paid in given.items() if paid is not None}


def _by_delivery(fields: Fields, name: str, prefix: str) -> dict[str, str]:
    """{delivery: word}: a JSON object under `name`, or form fields "<prefix><delivery>"."""
    rows = _rows(fields, name, prefix)
    return {word_of(key, 24): word_of(value, 40) for key, value in rows.items() if word_of(value, 40)}


def _rows(fields: Fields, name: str, prefix: str) -> dict[str, Any]:
    given = fields.get(name)
    rows = dict(given) if isinstance(given, dict) else {}
    return rows | {key.removeprefix(prefix): value for key, value in fields.items() if key.startswith(prefix)}


def _place(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    try:
        point = float(latitude), float(longitude)
    except (TypeError, ValueError, OverflowError):
        return None
    return point if is_coordinate(*point) else None


def _money(value: Any) -> int | None:
    """Minor units; "12.50" and "12,50" count as 1250, a whole number in JSON as minor units."""
    if isinstance(value, int) and not isinstance(value, bool):
        return number_of(value)
    text = word_of(value, 12).strip().replace(",", ".")
    whole, _dot, cents = text.partition(".")
    if not text:
        return None
    if not (whole.isascii() and whole.isdigit() and len(cents) <= 2 and (not cents or cents.isdigit())):
        raise InvalidInput("payment_missing", _("Write down what was paid, and how."))
    return int(whole) * 100 + int(cents.ljust(2, "0") or 0)


def _number(value: Any) -> int:
    return 0 if value in (None, "") else number_of(value)


def _is_ticked(value: Any) -> bool:
    return value is True or value in ("1", "on", "true")


def _sentence(value: Any) -> str:
    return clean_name(word_of(value, LONGEST_NOTE * 2), LONGEST_NOTE)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _unreadable() -> InvalidInput:
    return InvalidInput("body_not_understood", _("The phone sent something that could not be read."))
