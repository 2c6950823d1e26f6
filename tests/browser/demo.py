"""The demo's own pages with made-up content."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

AT = datetime.fromisoformat("2026-03-10T09:12:00+01:00")


def card(status: str, tone: str, icon: str, headline: str, name: str, merchant: str = "Alpenkorb") -> dict[str, str]:
    return {
        "url": "/out_near.html",
        "status": status,
        "tone": tone,
        "icon": icon,
        "headline": headline,
        "name": name,
        "merchant": merchant,
    }


def message(pk: int, channel: str, to: str, body: str, subject: str = "") -> SimpleNamespace:
    sender = "Alpenkorb" if channel == "sms" else "Alpenkorb <deliveries@alpenkorb.example>"
    return SimpleNamespace(
        pk=pk, channel=channel, to=to, sender=sender, subject=subject, body=body, status="delivered", arrived_at=AT
    )


OUT = card("Out for delivery", "live", "truck", "Arriving today, 10:20–11:20", "Elena Marxer")
GROUPS = [
    {
        "title": "On the road",
        "note": "The van drives along real streets. Change something and look again.",
        "cards": [
            OUT,
            card("You are next", "live", "navigation", "Arriving today, 09:15–09:25", "佐藤 美咲", "Lumen"),
            card("Running late", "warn", "timer", "Arriving today, 11:40–12:10", "يوسف الحداد", "Werkbank"),
        ],
    },
    {
        "title": "Not yet, and not any more",
        "note": "",
        "cards": [
            card("Planned", "plain", "calendar-clock", "Arriving tomorrow, 14:00–16:00", "Noah Frick"),
            card("At the pick-up point", "good", "store", "Ready to collect until Tue 17 March", "Zoë Ritter", "Lumen"),
            card("Not delivered", "bad", "circle-alert", "We could not deliver today, 09:02", "Beat Vogt", "Werkbank"),
            card("Delivered", "good", "package-check", "Delivered today, 08:51", "Carla Beck"),
        ],
    },
]
FACES = [
    {"url": "#", "icon": "smartphone", "title": "The demo phone", "note": "Every text, e-mail and code", "secret": ""},
    {"url": "#", "icon": "truck", "title": "A driver", "note": "The next stop, one thumb", "secret": ""},
    {"url": "#", "icon": "scan-barcode", "title": "The depot clerk", "note": "Scan parcels onto vans", "secret": ""},
    {"url": "#", "icon": "store", "title": "A pick-up point", "note": "Hand out against the code", "secret": ""},
    {
        "url": "#",
        "icon": "layout-dashboard",
        "title": "Staff",
        "note": "Find, understand, act",
        "secret": "agent / demo",
    },
]
START: dict[str, Any] = {
    "brand": None,
    "now": "Tue 10 March, 09:12",
    "speed": 20,
    "counts": {"deliveries": 312, "vans": 9, "merchants": 3, "points": 24},
    "featured": OUT,
    "groups": GROUPS,
    "faces": FACES,
}
MESSAGES = [
    message(4, "sms", "+423791001", "Alpenkorb: your code is 482 913. It holds for ten minutes."),
    message(3, "sms", "+423791001", "Alpenkorb: today 10:20-11:20. http://127.0.0.1:8000/t/q8Zr1hK2"),
    message(
        2,
        "email",
        "elena.marxer@example.com",
        "Hello Elena\n\nYour parcel comes today, 10:20–11:20.\n\nhttp://127.0.0.1:8000/t/q8Zr1hK2",
        "Your delivery comes today, 10:20–11:20",
    ),
]
PHONE: dict[str, Any] = {
    "brand": None,
    "messages": MESSAGES,
    "owners": [{"to": m.to, "count": 2, "last": m.pk} for m in MESSAGES[1:]],
    "selected": "",
    "query": "",
    "newest": 4,
}
DEMO: dict[str, tuple[str, dict[str, Any]]] = {
    "start": ("demo/start.html", START),
    "phone": ("demo/phone.html", PHONE),
    "phone_empty": ("demo/phone.html", {**PHONE, "messages": [], "owners": []}),
}
