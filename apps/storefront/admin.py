"""For staff to read: which webhook was tried when, and which answers are kept."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.merchants.access import merchants_of
from apps.storefront.models import KeptAnswer, WebhookAttempt


class ReadOnlyAdmin(ModelAdmin):
    """Rows that the product writes and people only read; each sees those of their own merchants."""

    merchant_path = "merchant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(**{f"{self.merchant_path}__in": merchants_of(request.user)})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(ReadOnlyAdmin):
    merchant_path = "endpoint__merchant"
    list_display = ["started_at", "kind", "endpoint", "number", "outcome", "status", "reason"]
    list_filter = ["outcome", "kind"]
    search_fields = ["message_id", "=event_id"]
    list_select_related = ["endpoint"]
    ordering = ["-pk"]


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "merchant", "status"]
    # The body holds a tracking link; nobody needs to read it here.
    exclude = ["body"]
    list_select_related = ["merchant"]
    ordering = ["-pk"]
