"""What callers hand in when they make or move a delivery: checked words, not rows."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.core.geo import is_coordinate
from apps.core.phones import to_e164
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Contact, Delivery, Place

LARGEST_MILLIMETRES = 10_000
HEAVIEST_GRAMS = 1_000_000
HIGHEST_PRIORITY = 10
_LONGEST = {
    "street": 120,
    "house_number": 20,
    "postcode": 12,
    "town": 80,
    "country": 2,
    "name": 120,
    "opening_hours": 255,
    "merge_key": 60,
}


@dataclass(frozen=True, slots=True)
class ContactInput:
    """A person. The phone may be typed in any usual way; it is kept in E.164."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = "en"

    def as_row(self) -> Contact:
        """An unsaved Contact; raises InvalidInput when a word cannot be understood."""
        name = " ".join(self.name.split())
        if not name or len(name) > 120 or not is_plain(name):
            raise InvalidInput("name_not_understood", _("Tell us the name of the person who receives the parcel."))
        email = self.email.strip().lower()
        if email:
            try:
                validate_email(email)
            except ValidationError:
                raise InvalidInput("email_not_understood", _("That e-mail address does not look complete.")) from None
        phone = to_e164(self.phone) if self.phone.strip() else ""
        return Contact(name=name, phone=phone, email=email, language=self.language[:10] or "en")


@dataclass(frozen=True, slots=True)
class PlaceInput:
    """Where to; degrees of the entrance. `merge_key` is equal for what one stop can serve; services set a door's."""

    street: str
    postcode: str
    town: str
    latitude: float
    longitude: float
    house_number: str = ""
    country: str = "LI"
    kind: str = Place.Kind.ADDRESS
    name: str = ""
    opening_hours: str = ""
    merge_key: str = ""
    floor: int | None = None

    @classmethod
    def of(cls, place: Place) -> "PlaceInput":
        """The same place again, to be compared or copied."""
        return cls(**{name: getattr(place, name) for name in cls.__slots__})

    @property
    def point(self) -> tuple[float, float]:
        """(latitude, longitude)."""
        return self.latitude, self.longitude

    def as_row(self) -> Place:
        """An unsaved Place; raises InvalidInput for coordinates off the globe or words that are too long."""
        if not is_coordinate(self.latitude, self.longitude):
            raise InvalidInput("place_not_on_map", _("That place is not on our map."))
        values = {name: getattr(self, name) for name in self.__slots__}
        for name, longest in _LONGEST.items():
            if not is_plain(values[name]) or len(values[name]) > longest:
                raise InvalidInput("address_not_understood", _("That address is too long or has an odd character."))
        return Place(**values)


@dataclass(frozen=True, slots=True)
class ParcelInput:
    """Grams and millimetres. An empty barcode asks for a new one."""

    weight_grams: int
    length_millimetres: int
    width_millimetres: int
    height_millimetres: int
    description: str = ""
    barcode: str = ""

    def check(self) -> None:
        """Raises InvalidInput for sizes no van carries."""
        sides = (self.length_millimetres, self.width_millimetres, self.height_millimetres)
        if not all(0 < side <= LARGEST_MILLIMETRES for side in sides) or not 0 < self.weight_grams <= HEAVIEST_GRAMS:
            raise InvalidInput("parcel_size_not_understood", _("Tell us each parcel's size in mm and its weight in g."))
        if not is_plain(self.description) or not is_plain(self.barcode) or len(self.barcode) > 40:
            raise InvalidInput("parcel_not_understood", _("That parcel has characters or a length we cannot use."))


PROOFS = frozenset({"photo", "signature", "code", "scan"})
OLDEST_ASKED_FOR = 25


@dataclass(frozen=True, slots=True)
class Terms:
    """What a delivery asks beyond place and time: skills of the van, what is left out last (0 to 10), a return."""

    kind: str = Delivery.Kind.DELIVERY
    priority: int = 0
    needs: frozenset[str] = frozenset()
    deferred: str = ""
    """Why this part of its order comes later than the rest: a code of Delivery.Deferred."""
    proof: frozenset[str] = frozenset()
    """What must be shown at the door besides what the shop's policy asks for: of PROOFS."""
    minimum_age: int = 0
    cash_due: int = 0
    """To be paid at the door, minor units of `cash_currency`."""
    cash_currency: str = ""
    collect_from: PlaceInput | None = None
    """The shop where a van collects it on the same day; None: it comes from a depot."""
    preferred: TimeWindow | None = None
    """The part of the window they would like best: weighed by the plan, never promised."""

    def check(self) -> None:
        """Raises InvalidInput for words no van understands."""
        if self.collect_from is not None:
            self.collect_from.as_row()
            if self.kind != Delivery.Kind.DELIVERY:
                raise InvalidInput("terms_not_understood", _("A return is not collected at a shop."))
        known = self.kind in Delivery.Kind.values and 0 <= self.priority <= HIGHEST_PRIORITY
        known = known and self.deferred in ("", *Delivery.Deferred.values)
        known = known and self.proof <= PROOFS and 0 <= self.minimum_age <= OLDEST_ASKED_FOR
        known = known and self.cash_due >= 0 and bool(self.cash_due) == bool(self.cash_currency)
        known = known and len(self.cash_currency) in (0, 3) and self.cash_currency == self.cash_currency.upper()
        if not known or not all(0 < len(word) <= 30 and is_plain(word) for word in self.needs):
            raise InvalidInput("terms_not_understood", _("We do not understand what this delivery needs."))


ORDINARY = Terms()


def is_plain(text: str) -> bool:
    """False for control characters (line breaks, NUL) and the marks that turn a line of text around."""
    return all(character.isprintable() or character in "\u200c\u200d" for character in text) and not any(
        "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069" for character in text
    )
