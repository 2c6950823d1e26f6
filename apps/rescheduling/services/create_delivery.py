"""A new delivery that the plan holds from its first second, and a delivery called off."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from apps.core import clock
from apps.core.errors import NotAllowed, Refused
from apps.core.time_windows import TimeWindow
from apps.deliveries import services as deliveries
from apps.deliveries.access import Access, require_verified
from apps.deliveries.inputs import ORDINARY, Terms
from apps.deliveries.models import Delivery
from apps.deliveries.services import ContactInput, ParcelInput, PlaceInput
from apps.merchants.models import Merchant, Policy
from apps.rescheduling import rules
from apps.rescheduling.services.change_window import on_route, require_revision
from apps.rescheduling.services.offer_windows import alternatives_to, offers_of, policy_of, within_roster
from apps.routing import services as routing
from apps.routing.selectors import zone_of


def create_delivery(
    *,
    merchant: Merchant,
    reference: str,
    recipient: ContactInput,
    buyer: ContactInput | None,
    place: PlaceInput,
    window: TimeWindow | None,
    parcels: Sequence[ParcelInput],
    service_seconds: int | None = None,
    terms: Terms = ORDINARY,
    actor: str,
) -> Delivery:
    """A new delivery with its place in the plan; without a window it gets the whole of the first day with room.

    Refused, with alternatives where there are any, when no plan holds it; InvalidInput for words that make no sense.
    """
    place.as_row()
    terms.check()
    place = deliveries.with_home_key(place, recipient.as_row())
    if service_seconds is None:
        service_seconds = deliveries.door_service_seconds(len(parcels))
    subject = routing.newcomer(place=place, service_seconds=service_seconds, parcels=parcels, terms=terms)
    policy = merchant.policy
    try:
        chosen = window or _first_free_day(subject, policy)
        _require_window(subject, chosen, policy)
        subject = routing.from_best_depot(subject, chosen)
    except Refused as refused:
        raise routing.name_place(refused, place) from None

    def act(proposal: routing.Proposal) -> Delivery:
        made = deliveries.create_delivery(
            merchant=merchant,
            reference=reference,
            recipient=recipient,
            buyer=buyer,
            place=place,
            window=chosen,
            parcels=parcels,
            service_seconds=service_seconds,
            terms=terms,
            actor=actor,
        )
        visit = routing.commit(proposal, delivery=made, actor=actor)
        routing.settle(proposal, made, visit, actor)
        routing.note_if_urgent(delivery=made, visit_id=visit)
        return made

    try:
        return routing.with_retries(lambda: subject, chosen, act)
    except Refused as refused:
        if refused.code not in (*routing.PLAN_REASONS, "after_cutoff"):
            raise routing.name_place(refused, place) from None
        others = alternatives_to(chosen, offers_of(subject, policy))
        raise Refused(refused.code, refused.message, others) from None


def cancel_delivery(
    *, delivery: Delivery, reason: str, revision: int, actor: str, access: Access | None = None
) -> Delivery:
    """The cancelled delivery, out of its route. Stale, or Refused when the van is too near.

    A shopper must be verified: NotAllowed("step_up_required") without an `access` that is.
    """
    if actor == "shopper" or access is not None:
        if access is None or access.delivery.pk != delivery.pk:
            raise NotAllowed("step_up_required", _("For this we first send a code to the contact on file."))
        require_verified(access)
    delivery.refresh_from_db()
    require_revision(delivery, revision)
    policy, route, now = policy_of(delivery), on_route(delivery), clock.now()
    if actor == "shopper":
        refusal = rules.refuse_cancel(delivery.state, route, policy, now)
    else:
        refusal = rules.refuse_by_progress(delivery.state, route, policy, now)
    if refusal:
        raise Refused(refusal.code, str(refusal.message))
    with transaction.atomic():
        routing.release(delivery_id=delivery.pk, actor=actor)
        return deliveries.cancel_delivery(delivery=delivery, reason=reason, revision=revision, actor=actor)


def _first_free_day(subject: routing.Subject, policy: Policy) -> TimeWindow:
    now, zone = clock.now(), zone_of(subject.depot)
    days = [rules.whole_day(policy, day, zone) for day in rules.horizon(policy, now, zone)]
    soon = [window for window in days if window is not None and rules.refuse_window(window, policy, now, zone) is None]
    slots = routing.offers_for(subject, within_roster(subject.depot, soon))
    for slot in slots:
        if slot.feasible:
            return slot.window
    raise routing.refusal(slots[-1].reason if slots else "no_vehicle")


def _require_window(subject: routing.Subject, window: TimeWindow, policy: Policy) -> None:
    now, zone = clock.now(), zone_of(subject.depot)
    refusal = rules.refuse_window(window, policy, now, zone)
    if refusal:
        others = alternatives_to(window, offers_of(subject, policy))
        raise Refused(refusal.code, str(refusal.message), others)
