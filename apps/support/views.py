"""What an agent may start or ask from a delivery's page. Every step is a POST and leaves an event."""

import secrets

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.core.errors import DoorstepError, InvalidInput
from apps.deliveries.models import Delivery, Link, Proof
from apps.deliveries.services import make_link, revoke_link, rotate_link, tracking_path
from apps.events.services import emit
from apps.feedback.models import Dispute
from apps.feedback.services import answer_message, decide_dispute
from apps.merchants.access import may_write, merchants_of
from apps.support import events
from apps.support.evidence import Evidence, evidence_of
from apps.support.times import times_of


@require_POST
@admin.site.admin_view
def as_customer(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Opens the customer's page through a view-only link of the product's own: it can change and reveal nothing."""
    delivery = _own(request, delivery_id)
    with transaction.atomic():
        link = _view_link(delivery)
        emit(events.PAGE_VIEWED, delivery_id=delivery.pk, actor=_actor(request))
    return HttpResponseRedirect(tracking_path(link))


@require_POST
@admin.site.admin_view
def replace_link(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """A new token for the customer's link; the old one is dead at once."""
    delivery = _own(request, delivery_id)
    back = HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[delivery.pk]))
    if not may_write(request.user, delivery.merchant):
        messages.error(request, _("You may look at this merchant's deliveries, not change them."))
        return back
    link = Link.objects.filter(delivery=delivery, kind=Link.Kind.FULL, revoked_at=None).order_by("-pk").first()
    if link is None:
        messages.error(request, _("There is no living link."))
        return back
    rotate_link(link=link, actor=_actor(request))
    messages.success(request, _("The tracking link was replaced. The old one opens nothing any more."))
    return back


@require_POST
@admin.site.admin_view
def withdraw_link(request: HttpRequest, delivery_id: int, link_id: int) -> HttpResponse:
    """Ends one link, and those that were shared from it; open pages close within seconds."""
    delivery = _own(request, delivery_id)
    if may_write(request.user, delivery.merchant):
        revoke_link(link=get_object_or_404(Link, pk=link_id, delivery=delivery), actor=_actor(request))
        messages.success(request, _("The link was withdrawn. It opens nothing any more."))
    else:
        messages.error(request, _("You may look at this merchant's deliveries, not change them."))
    return HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[delivery.pk]))


@require_POST
@admin.site.admin_view
def answer(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """What an agent writes to the customer; the same form sent twice is one message."""
    delivery = _own(request, delivery_id)
    if not may_write(request.user, delivery.merchant):
        messages.error(request, _("You may look at this merchant's deliveries, not change them."))
    else:
        key = request.POST.get("key", "").replace("\0", "")[:32] or secrets.token_hex(16)
        try:
            answer_message(
                delivery=delivery, text=request.POST.get("text", ""), form_key=f"desk-{key}", actor=_actor(request)
            )
            messages.success(request, _("The customer finds your answer on the tracking page."))
        except DoorstepError as error:
            messages.error(request, error.message)
    return HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[delivery.pk]))


@require_safe
@admin.site.admin_view
def times(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Which windows the plan could hold now, and what stands against each van in the others."""
    delivery = _own(request, delivery_id)
    context = {
        **admin.site.each_context(request),
        "title": _("Which times fit, and why not"),
        "delivery": delivery,
        "times": times_of(delivery),
    }
    return TemplateResponse(request, "admin/deliveries/delivery/times.html", context)


@admin.site.admin_view
def dispute(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """What speaks for and against the driver's word; a POST decides."""
    found = _own_dispute(request, dispute_id)
    evidence, refused = evidence_of(found), ""
    may_decide = may_write(request.user, found.delivery.merchant) and found.state == found.State.OPEN
    if request.method == "POST":
        if not may_decide:
            messages.error(request, _("This is decided already, or not yours to decide."))
            return HttpResponseRedirect(request.path)
        refused = _decided(request, evidence)
        if not refused:
            return HttpResponseRedirect(reverse("admin:deliveries_delivery_change", args=[found.delivery_id]))
    context = {
        **admin.site.each_context(request),
        "title": _("The customer says that nobody came"),
        "evidence": evidence,
        "may_decide": may_decide,
        "refused": refused,
        "typed": {name: request.POST.get(name, "") for name in ("upheld", "reason", "answer")},
    }
    return TemplateResponse(request, "admin/feedback/dispute/evidence.html", context)


def _decided(request: HttpRequest, evidence: Evidence) -> str:
    """Why it could not be decided so; "" when it is."""
    said = {name: request.POST.get(name, "").strip() for name in ("upheld", "reason", "answer")}
    if said["upheld"] not in ("yes", "no") or not said["reason"]:
        return _("Say who was right, and why: colleagues read it later.")
    upheld = said["upheld"] == "yes"
    try:
        decide_dispute(
            dispute=evidence.dispute,
            upheld=upheld,
            answer=said["answer"],
            reason=said["reason"],
            driver_id=evidence.driver_id,
            actor=_actor(request),
        )
    except InvalidInput as error:
        return error.message
    told = _("Decided. The attempt does not count, and the customer may choose another time.")
    messages.success(request, told if upheld else _("Decided. The attempt stands, and the customer is told."))
    return ""


@require_safe
@admin.site.admin_view
def proof_photo(request: HttpRequest, proof_id: int) -> HttpResponse:
    """A picture a driver took, of one's own merchants' deliveries; 404 for everybody else's."""
    rows = Proof.objects.filter(delivery__merchant__in=merchants_of(request.user)).exclude(image="")
    found = get_object_or_404(rows, pk=proof_id)
    try:
        body = found.image.open("rb").read()
    except FileNotFoundError:
        raise Http404 from None
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-store"}
    return HttpResponse(body, content_type="image/jpeg", headers=headers)


def _own_dispute(request: HttpRequest, dispute_id: int) -> Dispute:
    rows = Dispute.objects.filter(delivery__merchant__in=merchants_of(request.user))
    return get_object_or_404(
        rows.select_related("attempt__place", "delivery__merchant", "delivery__order", "driver"), pk=dispute_id
    )


def _own(request: HttpRequest, delivery_id: int) -> Delivery:
    """404 for another merchant's delivery, as for one that does not exist."""
    rows = Delivery.objects.select_related("merchant").filter(merchant__in=merchants_of(request.user))
    return get_object_or_404(rows, pk=delivery_id)


def _view_link(delivery: Delivery) -> Link:
    living = Link.objects.filter(delivery=delivery, kind=Link.Kind.VIEW, revoked_at=None, expires_at=None)
    return living.order_by("-pk").first() or make_link(delivery=delivery, kind=Link.Kind.VIEW)


def _actor(request: HttpRequest) -> str:
    return f"agent:{request.user.pk}"
