"""The ONE document of a page: language-free JSON for first render, polling and socket, per disclosure tier.

Instants are ISO 8601 in UTC. What a tier may not see is left out here, never hidden later.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from apps.core import clock
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Place
from apps.deliveries.states import ENDED, State
from apps.tracking import rules
from apps.tracking.facts import Facts, gather

Tier = Literal["link", "verified"]
TIERS: tuple[Tier, ...] = ("link", "verified")
Document = dict[str, Any]

# What a timeline entry may carry: the new window and the reason, never an id of ours.
_TOLD_DATA = ("to", "reason")


def build(delivery_id: int, tier: Tier) -> Document:
    """The document of one delivery; KeyError when there is none."""
    return build_many([delivery_id])[delivery_id][tier]


def build_many(delivery_ids: Collection[int]) -> dict[int, dict[Tier, Document]]:
    """Both tiers of many deliveries, with as many queries as for one."""
    now = clock.now()
    return {pk: {tier: document(facts, tier, now) for tier in TIERS} for pk, facts in gather(delivery_ids).items()}


def document(facts: Facts, tier: Tier, now: datetime) -> Document:
    delivery, policy, progress = facts.delivery, facts.delivery.merchant.policy, facts.progress
    state, is_verified = delivery.state, tier == "verified"
    told = told_window(facts)
    return {
        "version": delivery.page_version,
        "tier": tier,
        "id": delivery.public_id,
        "merchant": delivery.merchant.slug,
        "zone": delivery.merchant.time_zone,
        "status": state,
        "late": rules.is_late(state, progress, told.latest, now),
        "window": _pair(delivery.window),
        "eta": _eta(facts),
        "stops_away": rules.stops_shown(state, progress),
        "place": _place(delivery.place, is_verified),
        "destination": _destination(delivery.place, is_verified),
        "van": {
            "visible": rules.van_is_near(state, progress, policy, now),
            "kind": progress.vehicle_kind if progress and state in (State.LOADED, State.OUT) else None,
        },
        "actions": _actions(facts, is_verified, now),
        "timeline": [
            {"code": entry.code, "at": entry.at.isoformat(), "data": _told_data(entry.data)} for entry in facts.timeline
        ],
        "parcels": [
            {"description": parcel.description, "barcode_tail": parcel.barcode[-4:]} for parcel in facts.parcels
        ],
        "instruction": _instruction(facts, is_verified),
        "collection": _collection(facts, is_verified),
        "proof": _proof(facts, is_verified),
        "failure": _failure(facts),
        "help": {"phone": delivery.merchant.help_phone, "email": delivery.merchant.help_email},
        "ended": state in ENDED,
        "view_only": False,
    }


def view_only(full: Mapping[str, Any]) -> Document:
    """The same page for a share link: it shows what the link tier shows, and nothing can be changed."""
    closed = [{**action, "open": False, "reason": "view_only", "needs_code": False} for action in full["actions"]]
    return {**full, "actions": closed, "view_only": True}


def told_window(facts: Facts) -> TimeWindow:
    """What the customer was last told: the open promise, or the window itself."""
    promise = facts.promise
    return TimeWindow(promise.earliest, promise.latest) if promise else facts.delivery.window


def _told_data(data: Mapping[str, Any]) -> Document:
    return {key: data[key] for key in _TOLD_DATA if key in data}


def _pair(window: TimeWindow) -> list[str]:
    return [window.earliest.isoformat(), window.latest.isoformat()]


def _eta(facts: Facts) -> list[str] | None:
    """Only from a published plan: a draft is still being shuffled, and its times would mislead."""
    progress = facts.progress
    open_states = (State.PLANNED, State.ARRIVED, State.LOADED, State.OUT)
    if progress is None or progress.eta is None or not progress.is_published or facts.delivery.state not in open_states:
        return None
    return _pair(progress.eta)


def _place(place: Place, is_verified: bool) -> Document:
    is_point = place.kind != Place.Kind.ADDRESS
    street = f"{place.street} {place.house_number}".strip()
    return {
        "kind": place.kind,
        "name": place.name if is_point else None,
        "town": place.town,
        "street": street if is_point or is_verified else None,
        "opening_hours": place.opening_hours if is_point else None,
    }


def _destination(place: Place, is_verified: bool) -> Document:
    exact = is_verified or place.kind != Place.Kind.ADDRESS
    lat, lon = place.point if exact else rules.coarse_point(*place.point)
    return {"lat": lat, "lon": lon, "exact": exact, "radius_metres": 0 if exact else rules.COARSE_METRES}


def _actions(facts: Facts, is_verified: bool, now: datetime) -> list[Document]:
    delivery, recipient = facts.delivery, facts.delivery.recipient
    decided = rules.actions(
        delivery.state,
        delivery.place.kind,
        facts.progress,
        delivery.merchant.policy,
        change_count=delivery.change_count,
        is_verified=is_verified,
        can_confirm=bool(recipient.email or (recipient.phone and not recipient.phone_refused_at)),
        now=now,
    )
    return [
        {"code": action.code, "open": action.reason is None, "reason": action.reason, "needs_code": action.needs_code}
        for action in decided
    ]


def _instruction(facts: Facts, is_verified: bool) -> Document | None:
    """Where a parcel will lie, and what its owner wrote, is for verified eyes; that something was said is not."""
    instruction = getattr(facts.delivery, "instruction", None)
    if instruction is None:
        return None
    return {
        "safe_place": instruction.safe_place if is_verified else None,
        "note": instruction.note if is_verified else None,
        "has_access_code": facts.has_access_code,
        "acknowledged": instruction.acknowledged_version >= instruction.version,
    }


def _collection(facts: Facts, is_verified: bool) -> Document | None:
    delivery = facts.delivery
    if delivery.place.kind == Place.Kind.ADDRESS and delivery.state != State.AT_POINT:
        return None
    code = getattr(delivery, "collection_code", None)
    ready = delivery.state == State.AT_POINT
    return {
        "until": delivery.collect_until.isoformat() if delivery.collect_until else None,
        "code": code.code if code is not None and ready and is_verified and not code.used_at else None,
        "ready": ready,
    }


def _proof(facts: Facts, is_verified: bool) -> Document | None:
    proof = facts.proof
    if proof is None or facts.delivery.state not in (State.DELIVERED, State.COLLECTED):
        return None
    return {
        "photo": proof.pk if proof.image and is_verified else None,
        "received_by": proof.received_by if is_verified else None,
        "left_at": proof.left_at if is_verified else "",
        "at": proof.taken_at.isoformat(),
    }


def _failure(facts: Facts) -> Document | None:
    if facts.delivery.state not in (State.FAILED, State.RETURNING, State.RETURNED):
        return None
    if facts.failed is not None:
        return {"reason": facts.failed.reason_code}
    told = next((entry for entry in facts.timeline if entry.code == "failed"), None)
    return {"reason": told.data.get("reason", "")} if told else None
