"""A merchant as the API knows it: a key and some JSON."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from apps.merchants.models import Merchant
from apps.merchants.services import make_api_key
from apps.places.services import load_addresses
from tests import world

DELIVERIES = "/api/v1/deliveries"
WINDOW = {"earliest": "2026-03-10T13:00:00+01:00", "latest": "2026-03-10T15:00:00+01:00"}


def ground() -> None:
    """A depot with two vans on the road today and one tomorrow, and the addresses of the small world."""
    world.shift("van-1")
    world.shift("van-2")
    world.shift("van-3", day=world.TODAY.replace(day=11))
    rows = [
        (street, number, code, town, "LI", lat, lon) for street, number, code, town, lat, lon in world.SPOTS.values()
    ]
    load_addresses(rows)


def order(reference: str = "A-1001", **changes: Any) -> dict[str, Any]:
    """A valid body; a change to None leaves the name out."""
    body: dict[str, Any] = {
        "reference": reference,
        "recipient": {"name": "Alice Muster", "phone": "+423 791 00 11", "email": "alice@example.com"},
        "place": {"street": "Landstrasse", "house_number": "12", "postcode": "9490", "town": "Vaduz"},
        "parcels": [parcel()],
        "window": WINDOW,
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def parcel(**changes: Any) -> dict[str, Any]:
    sizes = {"length_millimetres": 300, "width_millimetres": 200, "height_millimetres": 150}
    return {"weight_grams": 2500, **sizes, **changes}


class Shop:
    """Talks to the API as one merchant."""

    def __init__(self, merchant: Merchant | None = None, *, can_write: bool = True) -> None:
        self.merchant = merchant or world.merchant()
        self.row, self.key = make_api_key(merchant=self.merchant, name="test", can_write=can_write)

    def get(self, path: str = DELIVERIES, **query: Any) -> HttpResponse:
        return self._client().get(path, query)

    def post(self, body: Any, *, path: str = DELIVERIES, key: str | None = None, **headers: str) -> HttpResponse:
        return self.send(json.dumps(body).encode(), path=path, key=key, **headers)

    def send(
        self,
        body: bytes,
        *,
        path: str = DELIVERIES,
        key: str | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> HttpResponse:
        if key is not None:
            headers["idempotency-key"] = key
        return self._client().post(path, body, content_type=content_type, headers=headers)

    def cancel(self, public_id: str, body: Any = None, **options: Any) -> HttpResponse:
        return self.post(body or {}, path=f"{DELIVERIES}/{public_id}/cancel", **options)

    def _client(self) -> Client:
        return Client(raise_request_exception=True, headers={"authorization": f"Bearer {self.key}"})


def problem_of(response: HttpResponse, status: int) -> dict[str, Any]:
    """The problem document of an answer that must be one."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "code", "detail"} <= body.keys()
    assert body["status"] == status
    assert body["type"] == f"urn:doorstep:problem:{body['code']}"
    return dict(body)
