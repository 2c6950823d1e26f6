"""Which deliveries to a door are one stop: those to the same person at the same door.

A house may hold many flats, and an address tells only some of them apart: who merely shares the entrance stays a stop
of their own, so nobody's proof, time or name ever meets a neighbour's.
"""

from dataclasses import replace
from unicodedata import normalize

from django.conf import settings

from apps.core.encryption import keyed_digest
from apps.deliveries.inputs import PlaceInput
from apps.deliveries.models import Contact, Place
from apps.places.selectors import search_key

_MARK = "home:"
# About ten metres: two entrances of one house number are two doors.
_DECIMALS = 4


def with_home_key(place: PlaceInput, person: Contact) -> PlaceInput:
    """The place with the merge key of this person's door; what is no door, or has a key of its own, stays as it is.

    Who has the same name and the same phone, or without one the same e-mail, is the same person: a family's or an
    office's phone alone is not enough. Without phone and e-mail nobody knows who it is, and nothing is merged. The key
    is a keyed digest: it tells nothing.
    """
    is_door = place.kind == Place.Kind.ADDRESS and (not place.merge_key or place.merge_key.startswith(_MARK))
    return replace(place, merge_key=_key_of(place, person)) if is_door else place


def _key_of(place: PlaceInput, person: Contact) -> str:
    reached = person.phone or person.email.casefold()
    if not reached:
        return ""
    name = " ".join(normalize("NFKC", person.name).casefold().split())
    address = search_key(place.street, place.house_number, place.postcode, place.town)
    unit = (" ".join(place.name.casefold().split()), place.floor)
    entrance = (round(place.latitude, _DECIMALS), round(place.longitude, _DECIMALS))
    return _MARK + keyed_digest(settings.SECRET_KEY, "home", address, *unit, *entrance, name, reached).hex()[:40]
