"""What a driver must show before a stop is done, and must have done before giving one up: pure rules."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core.errors import InvalidInput, Refused
from apps.deliveries.words import FAILURE_REASONS
from apps.instructions.models import Instruction

# What can go wrong where, most likely first; the words are deliveries.words.FAILURE_REASONS.
REASONS_AT_DOOR = (
    "consignee_not_home",
    "consignee_access_restricted",
    "consignee_incorrect_address",
    "consignee_refused",
    "carrier_no_parking",
    "consignee_safe_place_unavailable",
    "consignee_verification_failed",
    "consignee_unpaid",
    "carrier_missing_proof",
    "carrier_damaged_parcel",
    "carrier_parcel_lost",
    "carrier_not_enough_time",
    "carrier_vehicle_issue",
    "weather_delay",
)
REASONS_AT_POINT = (
    "consignee_business_closed",
    "carrier_capacity_exceeded",
    "consignee_refused",
    "carrier_no_parking",
    "carrier_damaged_parcel",
    "carrier_parcel_lost",
    "carrier_not_enough_time",
    "carrier_vehicle_issue",
    "weather_delay",
)
REASONS_AT_SHOP = (
    "sender_not_ready",
    "sender_closed",
    "carrier_damaged_parcel",
    "carrier_no_parking",
    "carrier_not_enough_time",
    "carrier_vehicle_issue",
    "weather_delay",
)
NOT_HOME = "consignee_not_home"
# Whoever says one of these has been at the door.
_AT_THE_PLACE = ("consignee_", "carrier_capacity_exceeded")
IN_PERSON = Instruction.SafePlace.IN_PERSON
LONGEST_NAME, LONGEST_NOTE = 120, 300
LEAST_REASON = 5
PROOFS = ("photo", "signature", "code", "scan")
RELATIONS = {
    "recipient": gettext_lazy("The recipient"),
    "household": gettext_lazy("Somebody of the household"),
    "neighbour": gettext_lazy("A neighbour"),
    "colleague": gettext_lazy("A colleague or reception"),
}
AGE_METHODS = {
    "identity_card": gettext_lazy("Identity card"),
    "passport": gettext_lazy("Passport"),
    "driving_licence": gettext_lazy("Driving licence"),
}
PAID_BY = {"cash": gettext_lazy("Cash"), "card": gettext_lazy("Card")}


@dataclass(frozen=True, slots=True)
class Needs:
    """What everybody at one stop together asks for. Cash is (minor units, currency), once per currency."""

    proofs: frozenset[str] = frozenset()
    least_photos: int = 1
    minimum_age: int = 0
    cash: tuple[tuple[int, str], ...] = ()

    @property
    def in_person(self) -> bool:
        """Nothing of this can be asked of a porch."""
        return bool(self.proofs & {"signature", "code"} or self.minimum_age or self.cash)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a driver has to show. `photos` and `signature` are uploads, `at_place` the phone's (latitude, longitude).

    `codes`, `payments` and `without` are by a delivery's public id, `anyway` is why something is given up against the
    rules. `paid` and the `payments` are minor units of the currency that is due.
    """

    photos: tuple[Any, ...] = ()
    signature: Any = None
    signed_by_name: bool = False
    received_by: str = ""
    relation: str = ""
    left_at: str = IN_PERSON
    code: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    without_code: str = ""
    scanned: tuple[str, ...] = ()
    age_method: str = ""
    age_confirmed: bool = False
    paid_by: str = ""
    paid: int | None = None
    payments: dict[str, int] = field(default_factory=dict)
    staff_note: str = ""
    recipient_note: str = ""
    at_place: tuple[float, float] | None = None
    without: dict[str, str] = field(default_factory=dict)
    anyway: str = ""


def needs_of(deliveries: Iterable[Any], *, is_point: bool) -> Needs:
    """Of deliveries (with their merchant's policy) at one stop; a counter takes everything as it comes."""
    if is_point:
        return Needs()
    rows = list(deliveries)
    proofs = {code for row in rows for code in (*row.proof_needed, *row.merchant.policy.proof_needed)}
    return Needs(
        proofs=frozenset(proofs & set(PROOFS)),
        least_photos=max((row.merchant.policy.least_photos for row in rows), default=1),
        minimum_age=max((row.minimum_age for row in rows), default=0),
        cash=_cash_of(rows),
    )


def _cash_of(rows: Iterable[Any]) -> tuple[tuple[int, str], ...]:
    due: dict[str, int] = {}
    for row in rows:
        if row.cash_due:
            due[row.cash_currency] = due.get(row.cash_currency, 0) + row.cash_due
    return tuple((amount, currency) for currency, amount in due.items())


def reasons_at(*, is_point: bool, is_shop: bool = False) -> list[tuple[str, str]]:
    """(code, words) to choose from."""
    codes: Sequence[str] = REASONS_AT_POINT if is_point else REASONS_AT_DOOR
    if is_shop:
        codes = REASONS_AT_SHOP
    return [(code, str(FAILURE_REASONS[code])) for code in codes]


def check_reason(reason: str) -> str:
    if reason not in FAILURE_REASONS:
        raise InvalidInput("reason_unknown", _("Choose why it did not work out."))
    return reason


def check_proof(shown: Shown, needs: Needs, *, is_point: bool, barcodes: Collection[str] = ()) -> None:
    """Raises InvalidInput when somebody could later ask "where is it?" and nobody would know.

    The code at the door is not looked at here: trying it has to be counted.
    """
    if shown.left_at not in Instruction.SafePlace.values:
        raise InvalidInput("left_at_unknown", _("Choose where the parcel is now."))
    _check_scan(shown.scanned, barcodes, is_needed="scan" in needs.proofs)
    if is_point:
        return
    if shown.left_at != IN_PERSON:
        if needs.in_person:
            raise InvalidInput("in_person_only", _("This one has to be handed to a person."))
        if not shown.photos:
            raise InvalidInput("photo_missing", _("Take a photo of where you left it."))
    _check_photos(shown, needs)
    _check_person(shown, needs)
    if not shown.photos and not shown.received_by:
        raise InvalidInput("name_missing", _("Take a photo, or write down who took it."))


def _check_photos(shown: Shown, needs: Needs) -> None:
    if "photo" in needs.proofs and len(shown.photos) < needs.least_photos:
        words = ngettext("This sender wants a photo.", "This sender wants %(count)d photos.", needs.least_photos)
        raise InvalidInput("photo_missing", words % {"count": needs.least_photos}, least=needs.least_photos)


def _check_person(shown: Shown, needs: Needs) -> None:
    if shown.relation and shown.relation not in RELATIONS:
        raise InvalidInput("relation_unknown", _("Choose who took it."))
    if "signature" in needs.proofs:
        if not shown.received_by:
            raise InvalidInput("name_missing", _("Write down the name of whoever signs."))
        if shown.signature is None and not shown.signed_by_name:
            raise InvalidInput("signature_missing", _("Let them sign, or tick that they sign with their typed name."))
    if needs.minimum_age and not (shown.age_confirmed and shown.age_method in AGE_METHODS):
        raise InvalidInput("age_unchecked", _("Look at a document: whoever takes it must be old enough."))
    if needs.cash and shown.paid_by not in PAID_BY:
        raise _unpaid()


def payments_of(shown: Shown, deliveries: Iterable[Any]) -> dict[int, int]:
    """{delivery's key: what was paid for it}, minor units; InvalidInput where nobody wrote it down.

    A single sum is for what was not paid by itself, one after the other, and what differs is the last one's; it cannot
    be for two currencies.
    """
    due = [row for row in deliveries if row.cash_due]
    paid = {row.pk: shown.payments[row.public_id] for row in due if row.public_id in shown.payments}
    together = [row for row in due if row.pk not in paid]
    if not together:
        return paid
    if shown.paid is None or len({row.cash_currency for row in together}) > 1:
        raise _unpaid()
    left = shown.paid
    for row in together:
        paid[row.pk] = left if row is together[-1] else min(row.cash_due, left)
        left -= paid[row.pk]
    return paid


def _unpaid() -> InvalidInput:
    return InvalidInput("payment_missing", _("Write down what was paid, and how."))


def asks_scan(delivery: Any) -> bool:
    """Whether every parcel has to be scanned when it changes hands."""
    return "scan" in (*delivery.proof_needed, *delivery.merchant.policy.proof_needed)


def check_collected(shown: Shown, delivery: Any, barcodes: Collection[str]) -> None:
    """Raises when another parcel was scanned than those that wait at the shop, or one is missing that has to be."""
    _check_scan(shown.scanned, barcodes, is_needed=asks_scan(delivery))


def _check_scan(scanned: Sequence[str], barcodes: Collection[str], *, is_needed: bool) -> None:
    wrong = next((code for code in scanned if code not in barcodes), None)
    if wrong is not None:
        raise Refused("wrong_parcel", _("…%(tail)s is not for this stop.") % {"tail": wrong[-4:]}, barcode=wrong)
    missing = sorted(set(barcodes) - set(scanned))
    if is_needed and missing:
        tails = ", ".join(f"…{barcode[-4:]}" for barcode in missing)
        raise InvalidInput("scan_missing", _("Scan every parcel. Still missing: %(tails)s") % {"tails": tails})


def born_by(today: date, years: int) -> date:
    """The last day of birth of somebody who is that old today; who was born on a 29 February is so from 1 March."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


@dataclass(frozen=True, slots=True)
class AtDoor:
    """What is known of a driver who gives up. `metres` from the door are None where nobody knows."""

    metres: int | None
    arrived_at: datetime | None
    at: datetime
    tries: int
    can_be_called: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """What is asked of a driver before giving up: the strictest of everybody at the stop."""

    metres: int
    wait: timedelta
    tries: int


def doubts_of(reason: str, door: AtDoor, patience: Patience) -> list[str]:
    """Codes (deliveries.words.FLAGS) of what speaks against this reason; none when everything was done."""
    if not reason.startswith(_AT_THE_PLACE):
        return []
    doubts = []
    if door.metres is None:
        doubts.append("place_unknown")
    elif door.metres > patience.metres:
        doubts.append("attempt_far")
    if reason == NOT_HOME:
        if door.can_be_called and door.tries < patience.tries:
            doubts.append("no_contact")
        if door.arrived_at is None or door.at - door.arrived_at < patience.wait:
            doubts.append("no_wait")
    return doubts


def doubt_words(doubt: str, door: AtDoor, patience: Patience) -> str:
    """What the driver has to do about it."""
    if doubt == "no_wait":
        waited = door.at - (door.arrived_at or door.at)
        minutes = max(1, -(-int((patience.wait - waited).total_seconds()) // 60))
        words = ngettext(
            "Please wait %(count)d more minute at the door.", "Please wait %(count)d more minutes at the door.", minutes
        )
        return words % {"count": minutes}
    if doubt == "attempt_far":
        return _("You are %(metres)d m from the door. Go there, or say why you could not.") % {"metres": door.metres}
    if doubt == "no_contact":
        return _("Call or text them first.")
    return _("Nobody knows where the van is. Share its position, or say why you could not be at the door.")


def clean_name(text: str, longest: int = LONGEST_NAME) -> str:
    """Words on one line, without characters that print nothing."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:longest]
