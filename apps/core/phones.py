"""Phone numbers as people type them, to and from E.164."""

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput


def to_e164(text: str, region: str | None = None) -> str:
    """E.164 form of a number typed in any usual way; raises InvalidInput when it is not a possible number."""
    try:
        number = phonenumbers.parse(text, region or settings.PHONE_DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise InvalidInput("phone_not_understood", _("That phone number does not look complete."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def masked(e164: str) -> str:
    """Only the last two digits: enough to recognise, useless to a stranger."""
    return f"••• {e164[-2:]}" if e164 else ""


def masked_email(address: str) -> str:
    """First letter and domain: m•••@example.com."""
    name, _at, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}" if domain else ""
