"""What the page's templates get beside the document: signed addresses of its pictures, and times to come again."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.core.cache import cache

from apps.core.errors import Refused
from apps.core.sealed_ids import opened_id
from apps.deliveries.access import VERIFIED_SECONDS, Access
from apps.deliveries.services import token_of
from apps.deliveries.states import State
from apps.rescheduling.services import WindowOffer, offer_windows
from apps.tracking.offer_words import OfferDay, offer_days
from apps.tracking.state import Document
from apps.tracking.views.gate import base_context

_SALT = "doorstep.proof"
OFFERS, OFFERS_SECONDS = 4, 30


def page_context(access: Access, doc: Document) -> dict[str, Any]:
    token = token_of(access.link)
    shown = base_context(access, token)
    pictures = picture_urls(access, doc, shown["paths"]["page"])
    return {"doc": doc, **shown, "pictures": pictures, "days": times_to_come_again(access, doc)}


def picture_urls(access: Access, doc: Document, page: str) -> dict[str, str]:
    """Addresses of the proof's and the failure's pictures: for this link only, and as long as its verification."""
    proof, failure = doc["proof"] or {}, doc["failure"] or {}
    ids = {"photo": proof.get("photo"), "signature": proof.get("signature"), "failure": failure.get("photo")}
    return {name: f"{page}/proof/{signed_picture(access, sealed)}" for name, sealed in ids.items() if sealed}


def signed_picture(access: Access, sealed: str) -> str:
    return signing.dumps(sealed, salt=_salt(access))


def opened_picture(access: Access, signed: str) -> int | None:
    """The proof's id; None for an address that is too old, mangled or another link's."""
    try:
        return opened_id("proof", signing.loads(signed, salt=_salt(access), max_age=VERIFIED_SECONDS))
    except (signing.BadSignature, ValueError):
        return None


def _salt(access: Access) -> str:
    # In the signature, not in the address: numbers of rows are nobody's business.
    return f"{_SALT}/{access.link.pk}/{access.link.generation}"


def times_to_come_again(access: Access, doc: Document) -> list[OfferDay]:
    """After a failed stop, the first windows that fit the vans' plan; none for whoever may not choose."""
    can_choose = any(action["code"] == "time" and action["open"] for action in doc["actions"])
    if doc["status"] != State.FAILED or doc["view_only"] or not can_choose:
        return []
    return offer_days(_first_offers(access, doc), access.delivery.merchant.time_zone)


def _first_offers(access: Access, doc: Document) -> list[WindowOffer]:
    """Asked of the plan now and then only: a page is read, and read anew, far more often than plans move.

    Whoever takes one is told when it has gone meanwhile.
    """
    key = f"offers:{access.delivery.pk}:{doc['version']}"
    kept: list[WindowOffer] | None = cache.get(key)
    if kept is not None:
        return kept
    try:
        offers = [offer for offer in offer_windows(delivery=access.delivery) if offer.feasible]
    except Refused:
        offers = []
    first = sorted(offers, key=lambda offer: offer.window.earliest)[:OFFERS]
    cache.set(key, first, timeout=max(1, OFFERS_SECONDS // settings.CLOCK_SPEED))
    return first
