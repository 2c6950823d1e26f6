"""Pages of the change flows in every state that must be designed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from apps.core.time_windows import TimeWindow
from apps.instructions.models import Instruction
from apps.tracking.forms import AddressForm, InstructionForm
from apps.tracking.instruction_words import safe_places
from apps.tracking.offer_words import offer_days, point_lines
from tests.browser.pages import PATHS, ZONE

MIDNIGHT = datetime(2026, 3, 9, 23, tzinfo=UTC)


def offer(day: int, hour: int, **more: Any) -> SimpleNamespace:
    start = MIDNIGHT + timedelta(days=day, hours=hour)
    window = TimeWindow(start, start + timedelta(hours=2))
    return SimpleNamespace(**{"window": window, "feasible": True, "reason": "", "tight": False, "green": False} | more)


def offers() -> list[SimpleNamespace]:
    gone = {"feasible": False, "reason": "capacity"}
    return [
        offer(0, 14),
        offer(0, 16, green=True),
        offer(0, 18, tight=True),
        offer(1, 8, green=True),
        offer(1, 10),
        offer(1, 12, **gone),
        offer(1, 14),
        offer(1, 16, tight=True),
        offer(1, 18),
        offer(2, 8, **gone),
        offer(2, 10, **gone),
    ]


def point(code: str, name: str, street: str, number: str, town: str, kind: str = "shop") -> SimpleNamespace:
    return SimpleNamespace(code=code, name=name, street=street, house_number=number, town=town, kind=kind)


OPEN = "Open today until 18:00"


def points() -> list[SimpleNamespace]:
    ready = offer(0, 16).window
    post = point("post-vaduz", "Post Vaduz", "Äulestrasse", "38", "Vaduz", "post_office")
    coop = point("coop-vaduz", "Coop Vaduz", "Austrasse", "3", "Vaduz")
    kiosk = point("kiosk-schaan", "Kiosk am Bahnhof", "Bahnhofstrasse", "1", "Schaan")
    return [
        SimpleNamespace(point=post, distance_metres=430, fits=True, reason="", earliest=ready, opening_today=OPEN),
        SimpleNamespace(point=coop, distance_metres=1190, fits=True, reason="", earliest=ready, opening_today=OPEN),
        SimpleNamespace(
            point=kiosk, distance_metres=3380, fits=False, reason="too_large", earliest=None, opening_today=""
        ),
    ]


def _summary(**more: Any) -> dict[str, Any]:
    change = {"old": "Today, 14:00–16:00", "new": "Tomorrow, 18:00–20:00"}
    return {
        "heading": "Come tomorrow, 18:00–20:00?",
        "change": change,
        "lines": [{"icon": "check", "words": "Free of charge."}],
        "action_url": PATHS["time"],
        "back_url": PATHS["time"],
        "revision": 4,
        "carried": {"window": "1-2"},
        "confirm_label": "Confirm the new time",
        **more,
    }


def _instructions(*, is_verified: bool) -> dict[str, Any]:
    initial = {"note": "Hinter der blauen Bank, bitte."}
    places = safe_places(Instruction.SafePlace.IN_PERSON, is_verified=is_verified, is_allowed=True)
    return {"form": InstructionForm(initial=initial), "safe_places": places, "is_verified": is_verified, "revision": 4}


CHANNELS = {"sms": "+423 ••• •• 01", "email": "a•••@example.com"}
REASONS = [("not_needed", "I do not need it any more"), ("ordered_twice", "I ordered it twice")]
STALE = "Someone changed this a moment ago. Please look again before you confirm."
TAKEN = "That window has just been taken."
UNDO = {"url": PATHS["time"], "fields": {"window": "1-2"}, "label": "Undo: back to today, 14:00–16:00"}
Built = tuple[str, Callable[[], dict[str, Any]]]

KINDS = [("damaged", "Something is damaged"), ("missing", "Something is missing"), ("other", "Something else")]
GRANDMA = {
    "id": 7,
    "label": "Grandma",
    "url": "https://doorstep.example/t/q8Zr1hK2q8Zr1hK2q8Zr1hK2q8Zr1hK2",
    "until": "Tue 17 March, 12:45",
    "opened": False,
}


def _rate(**more: Any) -> dict[str, Any]:
    stars = [(number, f"{number} stars") for number in range(1, 6)]
    return {"said": {}, "stars": stars, "numbers": range(11), "longest": 600, **more}


FLOWS: dict[str, Built] = {
    "time": (
        "change/time_offers",
        lambda: {"days": offer_days(offers(), ZONE, offer(0, 14).window), "agreed": "today, 14:00–16:00"},
    ),
    "time_refused": (
        "change/time_offers",
        lambda: {"days": offer_days(offers()[1:6], ZONE), "refused": True, "error": TAKEN},
    ),
    "time_none": ("change/time_offers", lambda: {"days": [], "agreed": "today, 14:00–16:00"}),
    "closed": ("change/closed", lambda: {"error": "The van is nearly there. It is too late to send it elsewhere."}),
    "time_summary": ("change/summary", _summary),
    "time_stale": ("change/summary", lambda: _summary(error=STALE)),
    "time_done": (
        "change/result",
        lambda: {
            "heading": "We come tomorrow, 18:00–20:00",
            "sentence": "It is in the van's plan. We have also sent you a message.",
            "undo": UNDO,
            "revision": 5,
        },
    ),
    "place": ("change/place", lambda: {"points": point_lines(points(), ZONE), "here": "Landstrasse 12, Vaduz"}),
    "address": ("change/address", lambda: {"form": AddressForm({"street": "Landstrasse", "town": "Vaduz"})}),
    "instructions": ("change/instructions", lambda: _instructions(is_verified=False)),
    "instructions_verified": ("change/instructions", lambda: _instructions(is_verified=True)),
    "cancel": ("change/cancel", lambda: {"reasons": REASONS, "revision": 4}),
    "rate": ("change/rate", lambda: _rate()),
    "rate_wrong": ("change/rate", lambda: _rate(said={"stars": 4, "comment": "Grüezi", "nps": 9}, error="So?")),
    "report": ("change/report", lambda: {"key": "k", "kinds": KINDS, "longest": 1000, "most_photos": 4}),
    "report_again": (
        "change/report",
        lambda: {
            "key": "k",
            "kinds": KINDS,
            "chosen": "missing",
            "text": "Ein Glas fehlt.",
            "longest": 1000,
            "most_photos": 4,
            "had_photos": True,
            "error": "That photo could not be read. Take it again.",
        },
    ),
    "share": ("change/share", lambda: {"choices": [("7", "7 days"), ("1", "1 day")], "shares": []}),
    "share_made": (
        "change/share",
        lambda: {"choices": [("7", "7 days"), ("1", "1 day")], "shares": [GRANDMA], "made": GRANDMA},
    ),
    "verify": ("verify", lambda: {"channels": CHANNELS, "next": "place", "sent": "", "error": ""}),
    "verify_sent": (
        "verify",
        lambda: {"channels": CHANNELS, "next": "place", "sent": "sms", "sent_to": CHANNELS["sms"], "error": ""},
    ),
    "verify_wrong": (
        "verify",
        lambda: {
            "channels": CHANNELS,
            "next": "place",
            "sent": "sms",
            "sent_to": CHANNELS["sms"],
            "error": "That code does not match. Check it, or ask for a new one.",
        },
    ),
}
