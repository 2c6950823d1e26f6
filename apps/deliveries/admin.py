"""The agent's view of deliveries: found by whatever the caller says, told in the words the customer read."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from apps.core import clock
from apps.deliveries import selectors, services, words
from apps.deliveries.models import Attempt, Delivery, Link, Order, Parcel, Promise, Proof
from apps.deliveries.states import State
from apps.merchants.access import TenantScoped, may_write

# Every state is named: one that is missing would be shown as its code.
STATE_COLOURS = dict.fromkeys(State.values, "") | {
    "delivered": "success",
    "collected": "success",
    "failed": "danger",
    "returning": "warning",
    "at_point": "info",
    "out": "info",
    "cancelled": "warning",
}


TIMES = ("shown_window", "shown_preferred", "shown_promise")


class ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True


class ParcelInline(ReadOnlyInline):
    model = Parcel
    fields = ["barcode", "description", "weight_grams", "arrived_at", "loaded_at"]


class AttemptInline(ReadOnlyInline):
    model = Attempt
    fields = ["number", "place", "started_at", "ended_at", "outcome", "reason", "staff_note", "recipient_note"]
    readonly_fields = ["reason"]
    ordering = ["-number"]

    @admin.display(description=gettext_lazy("Reason"))
    def reason(self, row: Attempt) -> str:
        return words.reason_words(row.reason_code) if row.reason_code else ""


class PromiseInline(ReadOnlyInline):
    model = Promise
    fields = ["version", "earliest", "latest", "opened_at", "closed_at"]
    ordering = ["-version"]


class LinkInline(ReadOnlyInline):
    """Without its token: whoever may look here need not be able to act as the customer."""

    model = Link
    fields = ["kind", "generation", "created_at", "expires_at", "revoked_at", "first_opened_at", "last_opened_at"]


class ProofInline(ReadOnlyInline):
    model = Proof
    fields = ["kind", "received_by", "left_at", "taken_at", "details", "flagged"]
    readonly_fields = ["flagged"]

    @admin.display(description=gettext_lazy("Look at this"))
    def flagged(self, row: Proof) -> str:
        return ", ".join(str(words.FLAGS.get(flag, flag)) for flag in row.flags)


@admin.register(Delivery)
class DeliveryAdmin(TenantScoped, ModelAdmin):
    list_display = ["order", "recipient", "merchant", "shown_state", "shown_window", "shown_promise", "place"]
    list_filter = ["state", ("merchant", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["order", "recipient", "merchant", "place"]
    # The look-up itself is selectors.search: a phone number has no one spelling a plain look-up could match.
    search_fields = ["order__reference"]
    search_help_text = gettext_lazy("Order, name, phone in any form, e-mail, postcode or barcode")
    ordering = ["-id"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["rotate_links", "renew_collection_codes"]
    inlines = [ParcelInline, AttemptInline, PromiseInline, LinkInline, ProofInline]
    # What happened, people, place and messages stand on the desk above (apps.support); here is what it leaves out.
    fieldsets = [
        (None, {"fields": ["order", "merchant", "shown_state", *TIMES, "created", "ended"]}),
        (gettext_lazy("Place"), {"fields": ["place", "home", "collect_from", "codes", "collect_by"]}),
    ]
    readonly_fields = ["shown_state", *TIMES, "created", "ended", "codes", "collect_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        open_one = Prefetch("promises", Promise.objects.filter(closed_at=None), to_attr="open_promises")
        return super().get_queryset(request).prefetch_related(open_one)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return selectors.search(search_term, within=queryset), False

    @display(description=gettext_lazy("State"), label=STATE_COLOURS, ordering="state")
    def shown_state(self, row: Delivery) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=gettext_lazy("Window"), ordering="window_earliest")
    def shown_window(self, row: Delivery) -> str:
        return words.window_words(row.window_earliest, row.window_latest, zone=selectors.zone_of(row))

    @display(description=gettext_lazy("Would like best"))
    def shown_preferred(self, row: Delivery) -> str:
        preferred = row.preferred
        if preferred is None:
            return "–"
        return words.window_words(preferred.earliest, preferred.latest, zone=selectors.zone_of(row))

    @display(description=gettext_lazy("Told the customer"))
    def shown_promise(self, row: Delivery) -> str:
        promises: list[Promise] = getattr(row, "open_promises", [])
        if not promises:
            return "–"
        return words.window_words(promises[0].earliest, promises[0].latest, zone=selectors.zone_of(row))

    @display(description=gettext_lazy("Received"))
    def created(self, row: Delivery) -> str:
        return _at(row.created_at, row)

    @display(description=gettext_lazy("Ended"))
    def ended(self, row: Delivery) -> str:
        return _at(row.ended_at, row)

    @display(description=gettext_lazy("Codes"))
    def codes(self, row: Delivery) -> str:
        """That they exist; never what they are."""
        kept = []
        if hasattr(row, "access_code"):
            kept.append(_("A door code is kept."))
        if hasattr(row, "collection_code"):
            tries = row.collection_code.tries
            kept.append(_("A collection code is kept, tried %(tries)s times.") % {"tries": tries})
        return " ".join(kept) or "–"

    @display(description=gettext_lazy("Collect by"))
    def collect_by(self, row: Delivery) -> str:
        return _at(row.collect_until, row)

    @admin.action(description=gettext_lazy("Replace the tracking links"), permissions=["act"])
    def rotate_links(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        count = 0
        for link in Link.objects.filter(delivery__in=_own(request, queryset), revoked_at=None):
            services.rotate_link(link=link, actor=f"agent:{request.user.pk}")
            count += 1
        self.message_user(request, _("%(count)s links were replaced.") % {"count": count}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Make a new collection code"), permissions=["act"])
    def renew_collection_codes(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        actor = f"agent:{request.user.pk}"
        count = sum(services.renew_collection_code(delivery_id=row.pk, actor=actor) for row in _own(request, queryset))
        self.message_user(request, _("%(count)s codes were replaced.") % {"count": count}, messages.SUCCESS)


@admin.register(Order)
class OrderAdmin(TenantScoped, ModelAdmin):
    list_display = ["reference", "merchant", "buyer", "placed_at"]
    list_select_related = ["merchant", "buyer"]
    search_fields = ["reference__istartswith"]
    ordering = ["-id"]
    show_full_result_count = False


def _own(request: HttpRequest, rows: QuerySet[Delivery]) -> list[Delivery]:
    """Those for whose merchant this person may act, not only look."""
    return [row for row in rows.select_related("merchant") if may_write(request.user, row.merchant)]


def _at(instant: datetime | None, row: Delivery) -> str:
    if instant is None:
        return "–"
    zone: ZoneInfo = selectors.zone_of(row)
    local = instant.astimezone(zone)
    day = words.day_words(local) if instant.date() >= clock.now().date() else f"{local:%Y-%m-%d}"
    return f"{day} {local:%H:%M}"
