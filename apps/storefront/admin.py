"""For staff: where webhooks go (the secret is shown once), which was tried when, and which answers are kept."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from apps.core.errors import InvalidInput
from apps.merchants.access import is_member_of_any, may_manage, merchants_of
from apps.merchants.models import Merchant, WebhookEndpoint
from apps.storefront import services
from apps.storefront.addresses import check_url
from apps.storefront.models import KeptAnswer, WebhookAttempt


class OwnMerchants(ModelAdmin):
    """Each member of staff sees the rows of their own merchants; nothing here is deleted by hand."""

    merchant_path = "merchant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(**{f"{self.merchant_path}__in": merchants_of(request.user)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_member_of_any(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_member_of_any(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EndpointForm(forms.ModelForm):
    class Meta:
        model = WebhookEndpoint
        fields = ["merchant", "url", "is_active"]

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from None
        return url


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(OwnMerchants):
    form = EndpointForm
    list_display = ["url", "merchant", "is_active"]
    list_select_related = ["merchant"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return any(may_manage(request.user, one) for one in merchants_of(request.user))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        merchant = getattr(obj, "merchant", None)
        return self.has_add_permission(request) if merchant is None else may_manage(request.user, merchant)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["merchant", "url", "is_active"] if obj else ["merchant", "url"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["merchant", "url"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "merchant":
            own = [one.pk for one in merchants_of(request.user) if may_manage(request.user, one)]
            kwargs["queryset"] = Merchant.objects.filter(pk__in=own)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: forms.ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, secret = services.add_endpoint(merchant=obj.merchant, url=obj.url)
        obj.pk = row.pk
        obj.refresh_from_db()
        text = _("This is the signing secret. It is shown this once: %(secret)s") % {"secret": secret}
        self.message_user(request, text, messages.WARNING)


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(OwnMerchants):
    merchant_path = "endpoint__merchant"
    list_display = ["started_at", "kind", "endpoint", "number", "outcome", "status", "reason"]
    list_filter = ["outcome", "kind"]
    search_fields = ["message_id", "=event_id"]
    list_select_related = ["endpoint"]
    ordering = ["-pk"]


@admin.register(KeptAnswer)
class KeptAnswerAdmin(OwnMerchants):
    list_display = ["created_at", "merchant", "status"]
    # The body holds a tracking link; nobody needs to read it here.
    exclude = ["body"]
    list_select_related = ["merchant"]
    ordering = ["-pk"]
