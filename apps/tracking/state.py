"""The ONE document of a page: language-free JSON for first render, polling and socket, per disclosure tier.

Instants are ISO 8601 in UTC. What a tier may not see is left out here, never hidden later.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from apps.core import clock
from apps.core.sealed_ids import sealed_id
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Place, Proof
from apps.deliveries.services import doorstep_code_of, needs_doorstep_code
from apps.deliveries.states import ENDED, OPEN, State
from apps.tracking import rules
from apps.tracking.extras import extra_keys, extras_to_look_at
from apps.tracking.facts import Facts, gather
from apps.tracking.thread import thread

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
    is_late = rules.is_late(state, progress, told.latest, now)
    return {
        "version": delivery.page_version,
        "tier": tier,
        "id": delivery.public_id,
        "merchant": delivery.merchant.slug,
        "zone": delivery.merchant.time_zone,
        "status": state,
        "late": is_late,
        "late_for": _pair(told) if is_late else None,
        "window": _pair(delivery.window),
        "eta": _eta(facts, now),
        "eta_reason": _eta_reason(facts, now),
        "stops_away": rules.stops_shown(state, progress, policy, now, metres=facts.metres),
        "distance_metres": rules.distance_shown(state, progress, policy, now, metres=facts.metres),
        "place": _place(delivery.place, is_verified),
        "destination": _destination(delivery.place, is_verified),
        "van": _van(facts, now),
        "actions": _actions(facts, is_verified, now),
        "timeline": _timeline(facts, now),
        "parcels": [
            {"description": parcel.description, "barcode_tail": parcel.barcode[-4:]} for parcel in facts.parcels
        ],
        "order": _order(facts, now),
        "instruction": _instruction(facts, is_verified),
        "collection": _collection(facts, is_verified),
        "proof": _proof(facts, is_verified),
        "failure": _failure(facts, is_verified),
        "door_code": _door_code(facts, is_verified),
        "driver_note": (facts.driver_note or None) if is_verified else None,
        "help": {"phone": delivery.merchant.help_phone, "email": delivery.merchant.help_email},
        "thread": thread(facts, is_verified=is_verified, now=now),
        **extra_keys(delivery, facts.extras, is_verified=is_verified, now=now),
        "ended": state in ENDED,
        "view_only": False,
    }


def view_only(full: Mapping[str, Any]) -> Document:
    """The same page for a share link: it shows what the link tier shows, and nothing can be changed."""
    closed = [{**action, "open": False, "reason": "view_only", "needs_code": False} for action in full["actions"]]
    return {**full, **extras_to_look_at(full), "actions": closed, "view_only": True}


def told_window(facts: Facts) -> TimeWindow:
    """What the customer was last told: the open promise, or the window itself."""
    promise = facts.promise
    return TimeWindow(promise.earliest, promise.latest) if promise else facts.delivery.window


def _timeline(facts: Facts, now: datetime) -> list[Document]:
    """Without the times that moved where the merchant does not tell times of arrival."""
    is_told = facts.delivery.merchant.policy.visibility("eta").is_always or _eta(facts, now) is not None
    return [
        {"code": entry.code, "at": entry.at.isoformat(), "data": _told_data(entry.data)}
        for entry in facts.timeline
        if is_told or entry.code != "eta_moved"
    ]


def _told_data(data: Mapping[str, Any]) -> Document:
    return {key: data[key] for key in _TOLD_DATA if key in data}


def _pair(window: TimeWindow) -> list[str]:
    return [window.earliest.isoformat(), window.latest.isoformat()]


def _eta(facts: Facts, now: datetime) -> list[str] | None:
    """Only from a published plan: a draft is still being shuffled, and its times would mislead."""
    progress, state = facts.progress, facts.delivery.state
    open_states = (State.PLANNED, State.ARRIVED, State.LOADED, State.OUT)
    if progress is None or progress.eta is None or not progress.is_published or state not in open_states:
        return None
    is_shown = rules.shows("eta", state, progress, facts.delivery.merchant.policy, now, metres=facts.metres)
    return _pair(progress.eta) if is_shown else None


def _eta_reason(facts: Facts, now: datetime) -> str:
    """Why the time moved or is less sure; nothing where no time is told."""
    return facts.progress.eta_reason if facts.progress and _eta(facts, now) else ""


def _van(facts: Facts, now: datetime) -> Document:
    delivery, progress = facts.delivery, facts.progress
    visible = rules.van_is_near(delivery.state, progress, delivery.merchant.policy, now, metres=facts.metres)
    is_loaded = progress is not None and delivery.state in (State.LOADED, State.OUT)
    return {
        "visible": visible,
        "kind": progress.vehicle_kind if is_loaded and progress else None,
        "driver": progress.driver_first_name or None if visible and progress else None,
    }


def _order(facts: Facts, now: datetime) -> Document | None:
    """The other deliveries of the same order; None when there are none. No street, code, contact or link is in it."""
    if not facts.siblings:
        return None
    counted = [one for one in (facts, *facts.siblings) if one.delivery.state != State.CANCELLED]
    done = [one for one in counted if one.delivery.state in (State.DELIVERED, State.COLLECTED)]
    return {
        "parcels": sum(len(one.parcels) for one in counted),
        "delivered": sum(len(one.parcels) for one in done),
        "deferred": facts.delivery.deferred_reason or None,
        "siblings": [_sibling(one, now) for one in facts.siblings],
    }


def _sibling(facts: Facts, now: datetime) -> Document:
    delivery = facts.delivery
    return {
        "id": delivery.public_id,
        "status": delivery.state,
        "window": _pair(delivery.window),
        "eta": _eta(facts, now),
        "deferred": delivery.deferred_reason or None,
        "parcels": [parcel.description for parcel in facts.parcels],
    }


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


def _door_code(facts: Facts, is_verified: bool) -> Document | None:
    """What the recipient tells the driver: there is one from the first day on, and only its owner reads it."""
    delivery = facts.delivery
    if delivery.place.kind != Place.Kind.ADDRESS or delivery.state not in OPEN or not needs_doorstep_code(delivery):
        return None
    return {"code": doorstep_code_of(delivery) if is_verified else None}


def _proof(facts: Facts, is_verified: bool) -> Document | None:
    """What the merchant shows of the proof, to verified eyes; that there is one is told to all."""
    if not facts.proofs or facts.delivery.state not in (State.DELIVERED, State.COLLECTED):
        return None
    policy = facts.delivery.merchant.policy
    photo = _last_image(facts.proofs, (Proof.Kind.PHOTO, Proof.Kind.HANDOUT)) if policy.show_photo else None
    signature = _last_image(facts.proofs, (Proof.Kind.SIGNATURE,)) if policy.show_signature else None
    receivers = [proof.received_by for proof in facts.proofs if proof.received_by and policy.show_receiver]
    places = [proof.left_at for proof in facts.proofs if proof.left_at and policy.show_left_at]
    return {
        "photo": photo if is_verified else None,
        "signature": signature if is_verified else None,
        "received_by": (receivers[-1] if receivers else "") if is_verified else None,
        "left_at": places[-1] if places and is_verified else "",
        "at": facts.proofs[-1].taken_at.isoformat(),
        "hidden": not is_verified and (policy.show_photo or policy.show_signature or policy.show_receiver),
    }


def _last_image(proofs: list[Proof], kinds: Collection[str]) -> str | None:
    return next(
        (sealed_id("proof", proof.pk) for proof in reversed(proofs) if proof.image and proof.kind in kinds), None
    )


def _failure(facts: Facts, is_verified: bool) -> Document | None:
    """The photo may show a door or a name, so only verified eyes see it."""
    if facts.delivery.state not in (State.FAILED, State.RETURNING, State.RETURNED):
        return None
    told = next((entry for entry in facts.timeline if entry.code == "failed"), None)
    if facts.failed is None and told is None:
        return None
    failed, photo = facts.failed, facts.failure_photo
    since = failed.started_at if failed else None
    is_shown = photo is not None and facts.delivery.merchant.policy.show_photo
    is_of_this_try = photo is not None and is_shown and (since is None or photo.taken_at >= since)
    ended = failed.ended_at if failed and failed.ended_at else told.at if told else None
    return {
        "reason": failed.reason_code if failed else str(told.data.get("reason", "")) if told else "",
        "at": ended.isoformat() if ended else None,
        "photo": sealed_id("proof", photo.pk) if photo and is_of_this_try and is_verified else None,
        "has_photo": is_of_this_try,
    }
