"""The operator's directory of pick-up points, and what is reserved there."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from apps.core.errors import Refused
from apps.core.operator_only import OperatorOnly
from apps.merchants.access import TenantScoped, may_write
from apps.places.selectors import is_understood
from apps.redirection.models import PickupPoint, Reservation
from apps.redirection.services import extend_collection, make_handout_link, revoke_handout_link

LONGER_DAYS = 2


class PointForm(forms.ModelForm):
    class Meta:
        model = PickupPoint
        exclude = ("handout_sha256",)

    def clean_opening_hours(self) -> str:
        text = str(self.cleaned_data["opening_hours"])
        if not is_understood(text, self.data.get("country", "LI")):
            raise ValidationError(_("These opening hours cannot be read. Write them like Mo-Fr 08:00-18:00; PH off."))
        return text


@admin.register(PickupPoint)
class PickupPointAdmin(OperatorOnly, ModelAdmin):
    form = PointForm
    list_display = ["name", "kind", "town", "opening_hours", "capacity", "shown_waiting", "is_active", "has_link"]
    list_filter = ["kind", "is_active"]
    search_fields = ["name", "town", "=code", "=postcode"]
    actions = ["make_links", "revoke_links"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PickupPoint]:
        waiting = Count("reservations", filter=Q(reservations__state=Reservation.State.STORED))
        rows: QuerySet[PickupPoint] = super().get_queryset(request)
        return rows.annotate(waiting=waiting)

    @admin.display(description=gettext_lazy("Waiting"), ordering="waiting")
    def shown_waiting(self, row: Any) -> int:
        return int(row.waiting)

    @admin.display(description=gettext_lazy("Hand-out link"), boolean=True)
    def has_link(self, row: PickupPoint) -> bool:
        return row.handout_sha256 is not None

    @admin.action(description=gettext_lazy("Make a new hand-out link"), permissions=["change"])
    def make_links(self, request: HttpRequest, queryset: QuerySet[PickupPoint]) -> None:
        for point in queryset:
            path = f"/point/{make_handout_link(point=point)}"
            text = _("The link of %(name)s, shown this once: %(path)s") % {"name": point.name, "path": path}
            self.message_user(request, text, messages.WARNING)

    @admin.action(description=gettext_lazy("Withdraw the hand-out link"), permissions=["change"])
    def revoke_links(self, request: HttpRequest, queryset: QuerySet[PickupPoint]) -> None:
        for point in queryset:
            revoke_handout_link(point=point)
        self.message_user(request, _("The links were withdrawn."), messages.SUCCESS)


@admin.register(Reservation)
class ReservationAdmin(TenantScoped, ModelAdmin):
    merchant_path = "delivery__merchant"
    list_display = ["point", "delivery", "state", "made_at", "stored_at", "ended_at"]
    list_filter = ["state", "point"]
    list_select_related = ["point", "delivery__order", "delivery__recipient"]
    ordering = ["-id"]
    show_full_result_count = False
    actions = ["keep_longer"]

    @admin.action(description=gettext_lazy("Keep it two days longer"), permissions=["act"])
    def keep_longer(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        kept = 0
        for row in queryset.select_related("delivery__merchant"):
            if not may_write(request.user, row.delivery.merchant):
                continue
            try:
                extend_collection(delivery=row.delivery, days=LONGER_DAYS, actor=f"agent:{request.user.pk}")
                kept += 1
            except Refused as refused:
                self.message_user(request, f"{row.delivery}: {refused.message}", messages.WARNING)
        self.message_user(request, _("%(count)s parcels are kept longer.") % {"count": kept}, messages.SUCCESS)
