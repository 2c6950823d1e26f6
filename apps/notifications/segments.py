"""What a text costs: its alphabet and how many segments it takes. And how foreign words are made safe for one."""

import unicodedata
from dataclasses import dataclass

GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these takes two places.
GSM_7_EXTENSION = frozenset("^{}\\[~]|€\f")


@dataclass(frozen=True, slots=True)
class Segments:
    alphabet: str
    units: int
    count: int


def segments_of(text: str) -> Segments:
    """GSM-7 (160 places, 153 in each of several) or UCS-2 (70, 67), as the network will choose."""
    if all(letter in GSM_7 or letter in GSM_7_EXTENSION for letter in text):
        sizes = [2 if letter in GSM_7_EXTENSION else 1 for letter in text]
        return Segments("GSM-7", sum(sizes), _count(sizes, 160, 153))
    sizes = [len(letter.encode("utf-16-be")) // 2 for letter in text]
    return Segments("UCS-2", sum(sizes), _count(sizes, 70, 67))


def _count(sizes: list[int], single: int, part: int) -> int:
    if sum(sizes) <= single:
        return 1
    count, room = 1, part
    # A two-place letter is never cut in half: it moves to the next segment whole.
    for size in sizes:
        if size > room:
            count, room = count + 1, part
        room -= size
    return count


def one_line(text: str, limit: int = 60) -> str:
    """Other people's words as part of a message: one line, no control or direction letters, not long."""
    kept = "".join(" " if letter.isspace() else letter for letter in text)
    kept = "".join(letter for letter in kept if unicodedata.category(letter) not in {"Cc", "Cf", "Co", "Cs"})
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"
