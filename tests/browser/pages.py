"""Documents of every state the shopper's page must have words for, made from one base. Tuesday 10 March 2026, Vaduz."""

from copy import deepcopy
from typing import Any

ZONE = "Europe/Vaduz"
BRAND = {"slug": "alpenkorb", "name": "Alpenkorb", "css_url": "/static/fixture.css", "logo_url": None}
TOKEN = "preview"
PATHS = {
    name: f"/t/{TOKEN}/{name}"
    for name in (
        "state",
        "dot",
        "live",
        "time",
        "place",
        "instructions",
        "cancel",
        "verify",
        "rate",
        "report",
        "share",
        "language",
    )
} | {"page": f"/t/{TOKEN}", "calendar": f"/t/{TOKEN}/calendar.ics", "socket": f"/ws/t/{TOKEN}"}


def at(time: str, day: int = 10) -> str:
    """A local time of March 2026 in Vaduz (UTC+1) as the document writes it."""
    return f"2026-03-{day:02d}T{time}:00+01:00"


def state(to: str, time: str, day: int = 10, **data: Any) -> dict[str, Any]:
    return {"code": "delivery.state_changed", "at": at(time, day), "data": {"to": to, **data}}


CREATED = {"code": "delivery.created", "at": at("16:12", 9), "data": {}}
UNTIL_DEPOT = [state("arrived", "06:40"), state("planned", "19:05", 9), CREATED]
UNTIL_OUT = [state("out", "08:31"), state("loaded", "07:55"), *UNTIL_DEPOT]
ACTIONS = [
    {"code": "time", "open": True, "reason": None, "needs_code": False},
    {"code": "place", "open": True, "reason": None, "needs_code": True},
    {"code": "instructions", "open": True, "reason": None, "needs_code": False},
    {"code": "cancel", "open": True, "reason": None, "needs_code": True},
]
POINT = {
    "kind": "pickup_point",
    "name": "Post Vaduz",
    "town": "Vaduz",
    "street": "Äulestrasse 38",
    "opening_hours": "Mo-Fr 07:45-18:00; Sa 08:00-11:00",
}
BASE: dict[str, Any] = {
    "version": 7,
    "tier": "link",
    "id": "q8Zr1",
    "merchant": "alpenkorb",
    "zone": ZONE,
    "status": "out",
    "late": False,
    "late_for": None,
    "window": [at("14:00"), at("16:00")],
    "eta": [at("14:10"), at("14:40")],
    "eta_reason": "",
    "stops_away": 12,
    "distance_metres": None,
    "place": {"kind": "address", "name": None, "town": "Vaduz", "street": None, "opening_hours": None},
    "destination": {"lat": 47.1412, "lon": 9.5212, "exact": False, "radius_metres": 500},
    "van": {"visible": False, "kind": "electric_van", "driver": None},
    "actions": ACTIONS,
    "timeline": UNTIL_OUT,
    "parcels": [{"description": "Vegetable box, large", "barcode_tail": "4821"}],
    "order": None,
    "instruction": None,
    "collection": None,
    "proof": None,
    "failure": None,
    "door_code": None,
    "driver_note": None,
    "rating": None,
    "problem": {"open": False, "cases": []},
    "dispute": None,
    "thread": None,
    "calendar": 1,
    "blocks": [],
    "help": {"phone": "+4232300000", "email": "help@alpenkorb.example"},
    "ended": False,
    "view_only": False,
}


def closed(reason: str) -> list[dict[str, Any]]:
    return [{**action, "open": False, "reason": reason, "needs_code": False} for action in ACTIONS]


def page(**changes: Any) -> dict[str, Any]:
    return deepcopy(BASE) | changes


VERIFIED_HOME = {**BASE["place"], "street": "Landstrasse 12"}
EXACT = {"lat": 47.1410, "lon": 9.5215, "exact": True, "radius_metres": 0}
POINT_SPOT = {"lat": 47.1390, "lon": 9.5228, "exact": True, "radius_metres": 0}
NOTE = {"safe_place": "porch", "note": "Hinter der blauen Bank, bitte.", "has_access_code": True, "acknowledged": True}
WAITING = {"until": at("18:00", 17), "code": None, "ready": True}
LATE = {"late": True, "late_for": [at("12:00"), at("14:00")], "window": [at("12:00"), at("14:00")]}
NOT_HOME = {"reason": "consignee_not_home", "at": at("11:42"), "photo": None, "has_photo": True}
PROOF = {"photo": 1, "signature": None, "received_by": "", "left_at": "porch", "at": at("14:22"), "hidden": False}
UNSEEN = {**PROOF, "photo": None, "received_by": None, "left_at": "", "hidden": True}
SIGNED = {**PROOF, "signature": 2, "received_by": "Elena Marxer", "left_at": ""}
ON_MAP = {"visible": True, "kind": "electric_van", "driver": None}
FAILED = [state("failed", "11:42", reason="consignee_not_home"), *UNTIL_OUT]
AT_POINT = [state("at_point", "10:15"), *UNTIL_OUT]
DONE = [state("delivered", "14:22"), {"code": "routing.next_stop", "at": at("14:11"), "data": {}}, *UNTIL_OUT]
CHANGED = {"code": "delivery.window_changed", "at": at("08:20"), "data": {"to": [at("18:00", 11), at("20:00", 11)]}}
TOMORROW = [at("18:00", 11), at("20:00", 11)]
WIDENED = {"code": "window_widened", "at": at("12:50"), "data": {"to": [at("14:00"), at("15:00")]}}


def part(status: str, window: list[str], *parcels: str, eta: list[str] | None = None, why: str = "") -> dict[str, Any]:
    more = {"eta": eta, "deferred": why or None, "parcels": list(parcels)}
    return {"id": f"x{len(parcels)}{status}", "status": status, "window": window, **more}


ORDER: dict[str, Any] = {
    "parcels": 4,
    "delivered": 1,
    "deferred": None,
    "siblings": [
        part("delivered", [at("09:00"), at("11:00")], "Dairy, keep cool"),
        part("out", [at("14:00"), at("16:00")], "Wine, twelve bottles", eta=[at("15:05"), at("15:30")]),
        part("created", [at("08:00", 13), at("18:00", 13)], "Raclette stove", why="not_in_stock"),
    ],
}

PAGES: dict[str, dict[str, Any]] = {
    "created": page(
        status="created", eta=None, stops_away=None, window=[at("08:00", 12), at("18:00", 12)], timeline=[CREATED]
    ),
    "planned": page(status="planned", eta=None, stops_away=None, window=TOMORROW, timeline=[CHANGED, *UNTIL_DEPOT[1:]]),
    "depot": page(
        status="arrived",
        stops_away=None,
        timeline=UNTIL_DEPOT,
        instruction={**NOTE, "safe_place": None, "note": None, "acknowledged": False},
    ),
    "out_far": page(),
    "out_near": page(stops_away=3, van={"visible": True, "kind": "electric_van"}),
    "out_next": page(
        stops_away=0,
        eta=[at("14:12"), at("14:20")],
        van={"visible": True, "kind": "cargo_bike"},
        tier="verified",
        place=VERIFIED_HOME,
        destination=EXACT,
        actions=closed("frozen"),
        instruction=NOTE,
    ),
    "delayed": page(stops_away=5, van={"visible": True, "kind": "diesel_van"}, **LATE),
    "failed": page(status="failed", eta=None, stops_away=None, failure=NOT_HOME, timeline=FAILED),
    "at_point": page(
        status="at_point",
        eta=None,
        stops_away=None,
        place=POINT,
        destination=POINT_SPOT,
        collection=WAITING,
        timeline=AT_POINT,
        actions=closed("at_point"),
    ),
    "at_point_verified": page(
        tier="verified",
        status="at_point",
        eta=None,
        stops_away=None,
        place=POINT,
        destination=POINT_SPOT,
        collection={**WAITING, "code": "482913"},
        timeline=AT_POINT,
        actions=closed("at_point"),
    ),
    "to_point": page(place=POINT, destination=POINT_SPOT, collection={"until": None, "code": None, "ready": False}),
    "returning": page(status="returning", eta=None, stops_away=None, failure=NOT_HOME, actions=closed("returning")),
    "delivered": page(
        tier="verified",
        status="delivered",
        eta=None,
        stops_away=None,
        proof=PROOF,
        place=VERIFIED_HOME,
        timeline=DONE,
        actions=closed("ended"),
        ended=True,
    ),
    "delivered_link": page(
        status="delivered",
        eta=None,
        stops_away=None,
        proof=UNSEEN,
        timeline=DONE,
        actions=closed("ended"),
        ended=True,
    ),
    "out_code": page(tier="verified", place=VERIFIED_HOME, door_code={"code": "482913"}, stops_away=4, van=ON_MAP),
    "out_stale": page(
        stops_away=2, van={**ON_MAP, "driver": "Noah"}, eta_reason="stale_position", distance_metres=2400
    ),
    "out_behind": page(stops_away=5, van=ON_MAP, eta_reason="behind", door_code={"code": None}),
    "widened": page(stops_away=4, van=ON_MAP, eta_reason="traffic", timeline=[WIDENED, *UNTIL_OUT]),
    "failed_verified": page(
        tier="verified",
        status="failed",
        eta=None,
        stops_away=None,
        failure={**NOT_HOME, "photo": 3},
        driver_note="Rang twice, called once. Nobody in.",
        timeline=FAILED,
        place=VERIFIED_HOME,
    ),
    "failed_full": page(status="failed", eta=None, stops_away=None, failure=NOT_HOME, timeline=FAILED),
    "order_mixed": page(stops_away=3, van=ON_MAP, distance_metres=3100, order=ORDER),
    "order_done": page(
        status="delivered",
        eta=None,
        stops_away=None,
        proof=UNSEEN,
        timeline=DONE,
        actions=closed("ended"),
        ended=True,
        order={**ORDER, "delivered": 4, "siblings": [{**part, "status": "delivered"} for part in ORDER["siblings"]]},
    ),
    "signed": page(
        tier="verified",
        status="delivered",
        eta=None,
        stops_away=None,
        proof=SIGNED,
        place=VERIFIED_HOME,
        timeline=DONE,
        actions=closed("ended"),
        ended=True,
    ),
    "cancelled": page(
        status="cancelled",
        eta=None,
        stops_away=None,
        actions=closed("ended"),
        ended=True,
        timeline=[state("cancelled", "08:02"), *UNTIL_DEPOT],
    ),
    "view_only": page(stops_away=3, van={"visible": True, "kind": "electric_van"}, view_only=True),
    "to_rate": page(
        status="delivered",
        eta=None,
        stops_away=None,
        timeline=DONE,
        actions=closed("ended"),
        ended=True,
        rating={"open": True, "stars": None, "comment": None, "until": None},
        problem={"open": True, "cases": []},
    ),
    "rated_with_a_case": page(
        tier="verified",
        status="delivered",
        eta=None,
        stops_away=None,
        timeline=DONE,
        actions=closed("ended"),
        ended=True,
        rating={"open": True, "stars": 4, "comment": "Sehr freundlich an der Tür.", "until": at("14:22", 12)},
        problem={
            "open": True,
            "cases": [
                {"number": "P-7KQ2M9XA", "state": "open", "at": at("15:00")},
                {"number": "P-2B4NRT6W", "state": "closed", "at": at("14:40")},
            ],
        },
    ),
    "many_parcels": page(
        parcels=[
            {"description": "Vegetable box, large", "barcode_tail": "4821"},
            {"description": "Dairy, keep cool", "barcode_tail": "4822"},
            {"description": "", "barcode_tail": "4823"},
        ]
    ),
}
