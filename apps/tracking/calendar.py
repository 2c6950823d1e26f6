"""The delivery as one entry of a calendar: always the same UID, a SEQUENCE that rises with what it says."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vText, vUri

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Place
from apps.tracking.extras import CALLED_OFF

Document = dict[str, Any]


def calendar_file(doc: Document, merchant_name: str, page_url: str, told: TimeWindow) -> bytes:
    """An RFC 5545 file made of a page's document, so it says no more than that page; `told` is the time."""
    is_off = doc["status"] in CALLED_OFF
    calendar = Calendar()
    calendar.add("prodid", "-//Doorstep//Delivery//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_off else "PUBLISH")
    calendar.add_component(_entry(doc, merchant_name, page_url, told, is_off=is_off))
    return bytes(calendar.to_ical())


def _entry(doc: Document, merchant_name: str, page_url: str, told: TimeWindow, *, is_off: bool) -> Event:
    entry = Event()
    entry.add("uid", f"{doc['id']}@{urlsplit(settings.PUBLIC_BASE_URL).hostname}")
    entry.add("sequence", doc["calendar"])
    entry.add("dtstamp", _seconds(clock.now()))
    entry.add("dtstart", _seconds(told.earliest))
    entry.add("dtend", _seconds(told.latest))
    entry.add("summary", _("Delivery from %(name)s") % {"name": merchant_name})
    entry.add("description", _("Where it is and what you can still change: %(url)s") % {"url": page_url})
    entry["location"] = vText(_location(doc["place"]))
    entry["url"] = vUri(page_url)
    entry.add("status", "CANCELLED" if is_off else "CONFIRMED")
    # Somebody who waits for a parcel can still be called.
    entry.add("transp", "TRANSPARENT")
    return entry


def _location(place: Document) -> str:
    """A pick-up point is public; of somebody's home the document has the street only for verified eyes."""
    parts = [place["name"] if place["kind"] != Place.Kind.ADDRESS else None, place["street"], place["town"]]
    return ", ".join(part for part in parts if part)


def _seconds(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
