"""What a driver's phone and a clerk's scanner say over HTTP. Nothing here knows the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import requests

from apps.demo.proof_photo import proof_photo
from apps.routing.planner.travel import Point

TIMEOUT_SECONDS = 10


class Rejected(Exception):
    """The server understood and said no (4xx)."""


class Device:
    def __init__(self, base: str, token: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Device {token}"

    def get(self, path: str) -> Any:
        return self._checked(self.session.get(self.base + path, timeout=TIMEOUT_SECONDS))

    def post(self, path: str, **kwargs: Any) -> Any:
        return self._checked(self.session.post(self.base + path, timeout=TIMEOUT_SECONDS, **kwargs))

    @staticmethod
    def _checked(answer: requests.Response) -> Any:
        if 400 <= answer.status_code < 500:
            raise Rejected(f"{answer.status_code} {answer.text[:200]}")
        answer.raise_for_status()
        return answer.json() if answer.content else None


def _in_person(drops: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is shown at a door where somebody has to open; nobody tells a simulated driver a code."""
    return {
        "left_at": "in_person",
        "signed_by_name": "1",
        "without_code": "Simulated: shown on the phone",
        "age_method": "identity_card",
        "age_confirmed": "1",
        "paid_by": "cash",
        **{f"paid-{drop['delivery']}": f"{drop['cash_due'] / 100:.2f}" for drop in drops if drop.get("cash_due")},
    }


class DriverPhone(Device):
    def route(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/driver/api/route")
        return found

    def depart(self, *, at: datetime) -> dict[str, Any]:
        self.post("/driver/api/depart", json={"at": at.isoformat()})
        return self.route()

    def arrive(self, visit: int, *, at: datetime) -> None:
        self.post(f"/driver/api/visits/{visit}/arrive", json={"at": at.isoformat()})

    def complete(self, visit: int, stop: dict[str, Any], *, at: datetime) -> None:
        drops = stop["drops"]
        data = {"at": at.isoformat(), "received_by": "", "left_at": "", "lat": stop["lat"], "lon": stop["lon"]}
        if len(drops) == 1:
            data["left_at"] = drops[0].get("safe_place") or "in_person"
        needs = stop.get("needs") or {}
        if needs.get("minimum_age") or needs.get("cash") or {"signature", "code"} & set(needs.get("proofs", ())):
            data |= _in_person(drops)
        if data["left_at"] == "in_person" and drops:
            data["received_by"] = drops[0]["recipient"]
        if "scan" in needs.get("proofs", ()):
            codes = [*(code for drop in drops for code in drop["parcels"]), *stop.get("to_load", ())]
            data["scanned"] = "\n".join(codes)
        photo = ("proof.jpg", proof_photo(visit), "image/jpeg")
        self.post(f"/driver/api/visits/{visit}/complete", data=data, files={"photo": photo})

    def fail(self, visit: int, stop: dict[str, Any], *, reason: str, at: datetime) -> None:
        body = {"reason": reason, "at": at.isoformat(), "lat": stop["lat"], "lon": stop["lon"]}
        self.post(f"/driver/api/visits/{visit}/fail", json=body)

    def contact(self, delivery: str, *, channel: str, at: datetime) -> None:
        body = {"channel": channel, "at": at.isoformat()}
        self.post(f"/driver/api/deliveries/{delivery}/contact", json=body)

    def read_notice(self, notice: int) -> None:
        self.post(f"/driver/api/notices/{notice}/read")

    def read_message(self, message: int, *, sentence: str, at: datetime) -> None:
        """As the phone's queue tells it: an id of its own, the time of the tap."""
        tap = {"id": f"simulated-{message}", "kind": "message", "at": at.isoformat()}
        self.post("/driver/api/events", json={"events": [{**tap, "message": message, "sentence": sentence}]})

    def acknowledge(self, delivery: str, version: int) -> None:
        self.post(f"/driver/api/deliveries/{delivery}/acknowledge", json={"version": version})

    def rest(self, *, begins: bool) -> None:
        self.post("/driver/api/break", json={"begins": begins})

    def break_down(self) -> None:
        self.post("/driver/api/breakdown")

    def position(self, point: Point, *, at: datetime) -> None:
        fix = {"lat": point.lat, "lon": point.lon, "at": at.isoformat(), "heading": None, "speed": None}
        self.post("/driver/api/positions", json={"positions": [fix]})


class ClerkScanner(Device):
    def day(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/depot/api/day")
        return found

    def scan(self, barcode: str, vehicle: str) -> None:
        self.post("/depot/scan", json={"barcode": barcode, "vehicle": vehicle})
