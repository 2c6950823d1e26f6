"""What a driver must say about a stop: pure rules."""

from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.deliveries.words import FAILURE_REASONS
from apps.instructions.models import Instruction

# What can go wrong where, most likely first; the words are deliveries.words.FAILURE_REASONS.
REASONS_AT_DOOR = (
    "consignee_not_home",
    "consignee_access_restricted",
    "consignee_incorrect_address",
    "consignee_refused",
    "consignee_safe_place_unavailable",
    "carrier_damaged_parcel",
    "carrier_parcel_lost",
    "carrier_not_enough_time",
    "weather_delay",
)
REASONS_AT_POINT = (
    "consignee_business_closed",
    "carrier_capacity_exceeded",
    "consignee_refused",
    "carrier_parcel_lost",
    "carrier_not_enough_time",
    "weather_delay",
)
IN_PERSON = Instruction.SafePlace.IN_PERSON
LONGEST_NAME = 120


def reasons_at(*, is_point: bool) -> list[tuple[str, str]]:
    """(code, words) to choose from."""
    codes = REASONS_AT_POINT if is_point else REASONS_AT_DOOR
    return [(code, str(FAILURE_REASONS[code])) for code in codes]


def check_reason(reason: str) -> str:
    if reason not in FAILURE_REASONS:
        raise InvalidInput("reason_unknown", _("Choose why it did not work out."))
    return reason


def check_proof(*, left_at: str, received_by: str, has_photo: bool, is_point: bool) -> None:
    """Raises InvalidInput when somebody could later ask "where is it?" and nobody would know."""
    if left_at not in Instruction.SafePlace.values:
        raise InvalidInput("left_at_unknown", _("Choose where the parcel is now."))
    if is_point or has_photo:
        return
    if left_at != IN_PERSON:
        raise InvalidInput("photo_missing", _("Take a photo of where you left it."))
    if not received_by:
        raise InvalidInput("name_missing", _("Take a photo, or write down who took it."))


def clean_name(text: str) -> str:
    """A name on one line, without characters that print nothing."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:LONGEST_NAME]
