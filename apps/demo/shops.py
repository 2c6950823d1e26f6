"""The merchants' shops: they keep selling for the next working day, through the merchant API."""

from collections.abc import Mapping
from datetime import date
from random import Random
from typing import Any

import requests

from apps.demo import extract
from apps.demo.orders import DemoOrder, orders
from apps.demo.phone_client import Rejected
from apps.demo.stage import local, point_of

TIMEOUT_SECONDS = 20
# What a shop is told when the vans have no room left: the customer goes elsewhere.
FULL = frozenset({"capacity", "window", "others"})


class Shops:
    """One order at a time for a day, `count` in all; the same seed and day give the same orders again."""

    def __init__(self, base: str, keys: Mapping[str, str], seed: int, count: int) -> None:
        self.url = base + "/api/v1/deliveries"
        self.keys, self.seed, self.count = keys, seed, count
        self.day: date | None = None
        self.waiting: list[DemoOrder] = []

    def open_for(self, day: date, already: int) -> None:
        """Starts selling for a day of which `already` so many are known."""
        if self.day == day:
            return
        self.day = day
        homes = [n for n, address in enumerate(extract.load_addresses()) if address.kind in {"house", "apartments"}]
        missing = max(0, self.count - already)
        self.waiting = orders(Random(f"{self.seed}/{day}"), missing, homes, first_number(day))

    def sell_one(self) -> None:
        if not self.waiting or self.day is None:
            return
        order, day = self.waiting.pop(), self.day
        answer = requests.post(
            self.url,
            json=_body(order, day),
            headers={
                "Authorization": f"Bearer {self.keys[order.merchant]}",
                "Idempotency-Key": f"{order.reference}/{day}",
            },
            timeout=TIMEOUT_SECONDS,
        )
        if answer.status_code >= 500:
            self.waiting.append(order)
        elif answer.status_code >= 400 and answer.json().get("code") not in FULL:
            raise Rejected(f"{answer.status_code} {answer.json().get('code')}")


def first_number(day: date) -> int:
    """Where a day's numbers for references and phones start: a thousand for each of 88 days in turn."""
    return 1000 * (1 + day.toordinal() % 88)


def _body(order: DemoOrder, day: date) -> dict[str, Any]:
    address = extract.load_addresses()[order.address]
    latitude, longitude = point_of(address)
    return {
        "reference": order.reference,
        "recipient": {
            "name": order.recipient,
            "phone": order.phone,
            "email": order.email,
            "language": order.language,
        },
        "place": {
            "street": address.street,
            "house_number": address.number,
            "postcode": address.postcode,
            "town": address.city,
            "latitude": latitude,
            "longitude": longitude,
        },
        "parcels": [
            {
                "description": parcel.description,
                "weight_grams": parcel.grams,
                "length_millimetres": parcel.millimetres[0],
                "width_millimetres": parcel.millimetres[1],
                "height_millimetres": parcel.millimetres[2],
            }
            for parcel in order.parcels
        ],
        "window": _hours(day, order.window),
        "preferred_window": _hours(day, order.preferred),
        "service_seconds": order.service_seconds,
    }


def _hours(day: date, hours: tuple[int, int] | None) -> dict[str, str] | None:
    if hours is None:
        return None
    opens, closes = (local(day, hour) for hour in hours)
    return {"earliest": opens.isoformat(), "latest": closes.isoformat()}
