"""What was told to whom, with every try: read-only for agents."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from apps.deliveries.models import Delivery
from apps.deliveries.selectors import search
from apps.merchants.access import TenantScoped
from apps.notifications.models import Message, SendAttempt

STATE_COLOURS = {"failed": "danger", "suppressed": "warning", "delivered": "success", "sent": "success"}


class SendAttemptInline(TabularInline):
    model = SendAttempt
    fields = readonly_fields = ("number", "channel", "status", "error_code", "started_at", "updated_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True


@admin.register(Message)
class MessageAdmin(TenantScoped, ModelAdmin):
    merchant_path = "delivery__merchant"
    list_display = ("created_at", "trigger", "delivery", "recipient", "language", "shown_state", "reason")
    show_full_result_count = False
    list_filter = ("state", "trigger", "language")
    list_select_related = ("delivery__order", "delivery__recipient", "recipient")
    # The look-up itself is the deliveries': a phone number has no one spelling a plain look-up could match.
    search_fields = ("delivery__order__reference",)
    search_help_text = _("Order, name, phone in any form, e-mail, postcode or barcode")
    ordering = ("-pk",)
    fields = readonly_fields = (
        *("delivery", "recipient", "trigger", "promise_version", "language", "subject", "body", "state", "reason"),
        "created_at",
    )
    inlines = (SendAttemptInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(delivery__in=search(search_term, within=Delivery.objects.all())), False

    @display(description=_("State"), label=STATE_COLOURS, ordering="state")
    def shown_state(self, row: Message) -> tuple[str, str]:
        return row.state, row.get_state_display()
