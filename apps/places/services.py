"""The install's own geocoder: loads the addresses it knows and finds the one that was meant."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import batched

from django.db.models import QuerySet

from apps.core.geo import is_coordinate
from apps.places.models import Address
from apps.places.normalise import ParsedAddress, compact, house_number_key, parse, search_key

# From here on a van may be sent there without asking again.
SURE = 0.8
_CLOSE_SPELLING = 0.82

AddressRow = tuple[str, str, str, str, str, float, float]


@dataclass(frozen=True, slots=True)
class GeocodeResult:
    """An address of the index and how sure it is that this was meant (0 to 1). Degrees of the entrance."""

    street: str
    house_number: str
    postcode: str
    town: str
    country: str
    latitude: float
    longitude: float
    confidence: float

    @property
    def is_sure(self) -> bool:
        return self.confidence >= SURE

    def __str__(self) -> str:
        return f"{self.street} {self.house_number}, {self.postcode} {self.town}".replace(" ,", ",")


def load_addresses(rows: Iterable[AddressRow]) -> int:
    """Adds (street, house number, postcode, town, country, latitude, longitude) rows; how many were new.

    Loading the same rows again adds nothing; rows without a usable coordinate are left out.
    """
    known = set(Address.objects.values_list("search_key", flat=True))
    added = 0
    for batch in batched(rows, 2000):
        fresh = []
        for street, house_number, postcode, town, country, latitude, longitude in batch:
            key = search_key(street, house_number, postcode, town)
            if key in known or not is_coordinate(latitude, longitude):
                continue
            known.add(key)
            fresh.append(
                Address(
                    street=street,
                    house_number=house_number,
                    postcode=postcode,
                    town=town,
                    country=country,
                    latitude=latitude,
                    longitude=longitude,
                    search_key=key,
                )
            )
        Address.objects.bulk_create(fresh)
        added += len(fresh)
    return added


def geocode(
    *, text: str = "", street: str = "", house_number: str = "", postcode: str = "", town: str = ""
) -> GeocodeResult | None:
    """The known address that is meant, by one line of text or by fields; None when nothing comes near.

    Ask `is_sure` before sending anybody there: a street without its number, or a guessed spelling, is found as well.
    """
    wanted = (
        parse(text)
        if text
        else ParsedAddress(compact(street), house_number_key(house_number), house_number_key(postcode), compact(town))
    )
    if not wanted.street:
        return None
    found = _on_street(wanted)
    if found is None and (corrected := _closest_street(wanted)):
        found = _on_street(replace(wanted, street=corrected))
        found = replace(found, confidence=found.confidence * 0.85) if found else None
    return found


def suggest(text: str, *, limit: int = 8) -> list[GeocodeResult]:
    """Known addresses that begin like what has been typed so far."""
    wanted = parse(text)
    if len(wanted.street) < 2:
        return []
    rows = _narrowed(Address.objects.filter(search_key__startswith=wanted.street), wanted)
    if wanted.house_number:
        rows = rows.filter(search_key__contains=f"|{wanted.house_number}")
    found = sorted(rows[:200], key=lambda row: (row.street, row.town, *_number_order(row.house_number)))
    return [_result(row, 1.0) for row in found[:limit]]


def _on_street(wanted: ParsedAddress) -> GeocodeResult | None:
    on_street = Address.objects.filter(search_key__startswith=f"{wanted.street}|")
    narrowed = list(_narrowed(on_street, wanted))
    doubt = 1.0
    if not narrowed and wanted.postcode and wanted.town:
        # One of the two is mistyped; the town's name is the likelier to be right.
        narrowed = list(_narrowed(on_street, replace(wanted, postcode=""))) or list(
            _narrowed(on_street, replace(wanted, town=""))
        )
        doubt = 0.9
    if not narrowed:
        return None
    if not wanted.postcode and _in_several_towns(narrowed):
        numbered = [row for row in narrowed if house_number_key(row.house_number) == wanted.house_number]
        if not numbered or _in_several_towns(numbered):
            doubt = 0.4
        else:
            # Several towns have the street, but only one of them this number.
            narrowed, doubt = numbered, 0.85
    row, certainty = _closest_number(narrowed, wanted.house_number)
    return _result(row, certainty * doubt)


def _in_several_towns(rows: list[Address]) -> bool:
    return len({(row.postcode, row.town) for row in rows}) > 1


def _narrowed(rows: QuerySet[Address], wanted: ParsedAddress) -> QuerySet[Address]:
    if wanted.postcode:
        rows = rows.filter(search_key__contains=f"|{wanted.postcode}|")
    if wanted.town:
        rows = rows.filter(search_key__contains=f"|{wanted.town}")
    return rows


def _closest_number(rows: list[Address], wanted: str) -> tuple[Address, float]:
    """The row whose house number comes nearest, and how sure that makes us."""
    ordered = sorted(rows, key=lambda row: _number_order(row.house_number))
    if not wanted:
        return ordered[len(ordered) // 2], 0.5
    digits, letters = _number_order(wanted)
    exact = [row for row in ordered if _number_order(row.house_number) == (digits, letters)]
    if exact:
        return exact[0], 1.0
    same_digits = [row for row in ordered if _number_order(row.house_number)[0] == digits]
    if same_digits:
        return same_digits[0], 0.85
    # Odd and even numbers face each other across the street.
    same_side = [row for row in ordered if _number_order(row.house_number)[0] % 2 == digits % 2] or ordered
    return min(same_side, key=lambda row: abs(_number_order(row.house_number)[0] - digits)), 0.6


def _closest_street(wanted: ParsedAddress) -> str:
    """The best-matching spelling of a street in that town, or nothing."""
    if not wanted.postcode and not wanted.town:
        return ""
    keys = _narrowed(Address.objects.all(), wanted).values_list("search_key", flat=True)
    streets = {key.partition("|")[0] for key in keys}
    matches = get_close_matches(wanted.street[:60], streets, n=1, cutoff=_CLOSE_SPELLING)
    return matches[0] if matches else ""


def _number_order(house_number: str) -> tuple[int, str]:
    key = house_number_key(house_number)
    digits = "".join(c for c in key if c.isascii() and c.isdigit()) if "/" not in key else key.partition("/")[0]
    return (int(digits[:6]) if digits.isdigit() else 0), key.lstrip("0123456789")


def _result(row: Address, confidence: float) -> GeocodeResult:
    return GeocodeResult(
        street=row.street,
        house_number=row.house_number,
        postcode=row.postcode,
        town=row.town,
        country=row.country,
        latitude=row.latitude,
        longitude=row.longitude,
        confidence=round(confidence, 3),
    )
