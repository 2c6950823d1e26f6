"""What was told to whom, with every try: read-only for agents."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.notifications.models import Message, SendAttempt


class SendAttemptInline(TabularInline):
    model = SendAttempt
    fields = readonly_fields = ("number", "channel", "status", "error_code", "started_at", "updated_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Message)
class MessageAdmin(ModelAdmin):
    list_display = ("created_at", "trigger", "delivery", "recipient", "language", "state", "reason")
    list_filter = ("state", "trigger", "language")
    list_select_related = ("delivery__order", "delivery__recipient", "recipient")
    search_fields = ("delivery__order__reference", "recipient__name", "recipient__phone", "recipient__email")
    search_help_text = "Order, name, phone or e-mail"
    ordering = ("-pk",)
    fields = readonly_fields = (
        *("delivery", "recipient", "trigger", "promise_version", "language", "subject", "body", "state", "reason"),
        "created_at",
    )
    inlines = (SendAttemptInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
