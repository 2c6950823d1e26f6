"""One spelling for the many ways an address is typed: ß and ss, umlauts and their two letters, Str. and Strasse."""

import re
import unicodedata
from dataclasses import dataclass

LONGEST_TEXT = 200
_POSTCODE = re.compile(r"(?:(?:li|fl|ch|at|de|a|d)\s)?(\d{4,5})$")
_NUMBER = re.compile(r"\d{1,4}(?:[a-z]|/\d{1,3})?$")
_STREET_ENDING = re.compile(r"str$")
_TWO_LETTER_UMLAUTS = (("ae", "a"), ("oe", "o"), ("ue", "u"))


@dataclass(frozen=True, slots=True)
class ParsedAddress:
    """Normalised parts of a typed address; a part that was not found is empty."""

    street: str = ""
    house_number: str = ""
    postcode: str = ""
    town: str = ""


def words_of(text: str) -> list[str]:
    """Lower case, without accents or punctuation, at most LONGEST_TEXT characters' worth of words."""
    lowered = text[:LONGEST_TEXT].casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
    return re.sub(r"[^\w/]+", " ", bare).replace("_", " ").split()


def compact(text: str) -> str:
    """A street's or town's name as one word: "Feldkircher Str." and "Feldkircherstraße" are the same."""
    joined = "".join(_STREET_ENDING.sub("strasse", word) for word in words_of(text))
    for two, one in _TWO_LETTER_UMLAUTS:
        joined = joined.replace(two, one)
    return joined


def house_number_key(text: str) -> str:
    """ "12 A" and "12a" are the same."""
    return "".join(words_of(text))


def search_key(street: str, house_number: str, postcode: str, town: str) -> str:
    """What an Address row is found by; the parts stand between bars, which no part can hold."""
    return f"{compact(street)}|{house_number_key(house_number)}|{house_number_key(postcode)}|{compact(town)}"


def parse(text: str) -> ParsedAddress:
    """The parts of an address typed in one line, street first: "Landstr. 12a, FL-9490 Vaduz"."""
    words = words_of(text)
    house_number = postcode = ""
    street_ends, town_starts = len(words), len(words)
    for index in range(1, len(words)):
        word = words[index]
        later_digits = any(_POSTCODE.fullmatch(other) for other in words[index + 1 :])
        if not house_number and not postcode and _NUMBER.fullmatch(word) and (len(word) < 4 or later_digits):
            house_number, street_ends, town_starts = word, index, index + 1
            if town_starts < len(words) and re.fullmatch("[a-z]", words[town_starts]) and word.isdigit():
                house_number += words[town_starts]
                town_starts += 1
        elif match := _POSTCODE.fullmatch(word):
            postcode, town_starts = match[1], index + 1
            street_ends = min(street_ends, index)
            break
    if not house_number and not postcode and "," in text:
        street, _comma, town = text.partition(",")
        return ParsedAddress(street=compact(street), town=compact(town))
    street_words = [word for word in words[:street_ends] if not (postcode and word in {"li", "fl", "ch"})]
    return ParsedAddress(
        compact(" ".join(street_words)), house_number, postcode, compact(" ".join(words[town_starts:]))
    )
