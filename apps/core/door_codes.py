"""Door codes in what people write: found, and taken out of plain text. Pure."""

import re
import unicodedata
from collections.abc import Iterator

HIDDEN = "•••"
# Control, direction, surrogate and unassigned characters go; joiners that scripts and emoji need stay.
_DROPPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_KEPT_MARKS = "\n\t\u200c\u200d"

_DOORS = (
    r"t(?:ü|ue)r|haust(?:ü|ue)r|haus|tor|gate|door|entry|entrance|access|zugangs?|zutritts?|eingangs?|garagen?|alarm"
)
_NAMES = (
    rf"(?:(?:{_DOORS})[\s-]?)?(?:code|pin|pincode|zahlencode|passcode|geheimzahl|zugangscode)s?"
    r"|keypad|intercom|key\s?(?:box|safe)|lock\s?box|schl(?:ü|ue)ssel(?:safe|kasten|box|tresor)"
)
# What looks like a code's name and is none, or names another number.
_OTHER_NUMBERS = r"bar|post|postal|zip|qr|discount|promo|area|country|rabatt|gutschein|promo(?:tion)?s?"
_CALLING = r"call|phone|ring|tel|mobil|handy|anruf|ruf|klingel|läut"
_FLATS = r"(?:apt|apartment|unit|suite|flat|floor|room|wohnung|whg|zimmer|stock|etage|order|bestellung|box|nr)\.?\s*"
_CODE = r"(?:[A-Za-z]{0,2}[\d*#][\dA-Za-z*#]{2,11}|\d{1,4}(?:[ -]\d{1,4}){1,3}[*#]?)(?![\w*#])"

_NAMED_BEFORE = re.compile(
    rf"(?<![\w-])(?<!bar )(?!(?:{_OTHER_NUMBERS})[\s-]?code)(?:{_NAMES})(?!\w)"
    rf"(?P<gap>(?:(?!\b(?:{_CALLING}))[^\d*#.;!?]){{0,30}}?)(?<![\w*#])(?P<code>{_CODE})",
    re.IGNORECASE,
)
_NAMED_AFTER = re.compile(
    rf"(?<![\w*#])(?P<code>{_CODE})\s*(?:(?:is|ist|=|for|für|fuer|as|als)\s+)(?:(?:the|my|der|die|das|den|mein)\s+)?"
    rf"(?:front\s+)?(?:{_NAMES}|{_DOORS}|lock|schloss)(?!\w)",
    re.IGNORECASE,
)
_AND_ANOTHER = re.compile(rf"\s*(?:,|/|and|und|or|oder|then|dann)\s*(?P<code>{_CODE})", re.IGNORECASE)
_GATE = re.compile(r"(?<!\w)(?:gate|tor|schranke|barrier)\s*[:=]?\s*(?P<code>\d{4,6}[*#]?)(?![\w*#])", re.IGNORECASE)
# Nobody writes a star or a hash into anything but a keypad's code.
_WITH_STAR = re.compile(r"(?<![\w*#])(?P<code>(?=[\w*#]*[*#])(?=(?:[\w*#]*\d){3})[\dA-Za-z*#]{4,12})(?![\w*#])")
# In talk "#48213" and "A#48213" are orders; a keypad's star or hash comes last, or a star first.
_KEYPAD = re.compile(r"(?<![\w*#])(?P<code>[*#]?\d{3,10}[*#]|\*\d{3,10})(?![\w*#])")
_PASSWORD = re.compile(
    r"(?<!\w)(?:password|passwort|passphrase|kennwort|losungswort)\b\s*(?:is|ist|lautet)?\s*[:=]?\s*[\"'„“]?(?P<code>[^\s\"'“”,.;]{3,20})",
    re.IGNORECASE,
)
_AFTER_FLAT = re.compile(rf"(?:{_FLATS})$", re.IGNORECASE)
_AFTER_ORDER = re.compile(
    r"(?<!\w)(?:order|parcel|package|shipment|bestellung|auftrag|paket|sendung|commande|colis|zamówienie|paczka)"
    r"(?:\s?(?:number|nummer|no|nr)\b)?[.:]?\s*$",
    re.IGNORECASE,
)
_OTHER_CODE_BEFORE = re.compile(rf"(?:{_OTHER_NUMBERS})[\s-]$", re.IGNORECASE)


def clean_note(text: str) -> str:
    """The note on one line, in one spelling of each character, without control or direction marks."""
    folded = unicodedata.normalize("NFKC", text)
    kept = (c for c in folded if c in _KEPT_MARKS or unicodedata.category(c) not in _DROPPED)
    return " ".join("".join(kept).split())


def split_codes(note: str, *, is_talk: bool = False) -> tuple[str, str]:
    """The note with every code hidden, and the codes, several parted by a comma and a space.

    `is_talk`: people write of their order as well as of their door, so its number is left alone.
    """
    codes, shown, at = [], [], 0
    for start, end in sorted(_spans(note, is_talk)):
        if start >= at:
            codes.append(note[start:end])
            shown += [note[at:start], HIDDEN]
            at = end
    return "".join([*shown, note[at:]]), ", ".join(codes)


def _spans(note: str, is_talk: bool) -> Iterator[tuple[int, int]]:
    unnamed = _KEYPAD if is_talk else _WITH_STAR
    for pattern, digits in ((_NAMED_BEFORE, 2), (_NAMED_AFTER, 3), (_GATE, 4), (unnamed, 3), (_PASSWORD, 0)):
        for match in pattern.finditer(note):
            before, code = note[: match.start()], match["code"]
            if is_talk and _AFTER_ORDER.search(note[: match.start("code")]):
                continue
            if _OTHER_CODE_BEFORE.search(before) or (pattern is unnamed and _AFTER_FLAT.search(before)):
                continue
            if len(code) < 3 or _digits(code) < digits:
                continue
            yield match.span("code")
            another = _AND_ANOTHER.match(note, match.end())
            while pattern is _NAMED_BEFORE and another and _digits(another["code"]) >= 3:
                yield another.span("code")
                another = _AND_ANOTHER.match(note, another.end())


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)
