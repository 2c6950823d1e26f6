"""The operator's and owners' view of tenants: branding, policy, people and keys."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from apps.merchants.access import is_member_of_any, may_manage, merchants_of
from apps.merchants.models import ApiKey, Branding, Membership, Merchant, Policy
from apps.merchants.services import announce_change, complete_merchant, make_api_key, revoke_api_key


def _merchant_of(row: Model | None) -> Merchant | None:
    return row if isinstance(row, Merchant) else getattr(row, "merchant", None)


class Managed:
    """Owners manage their own merchant; only the operator adds or removes one."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_member_of_any(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        merchant = _merchant_of(obj)
        if merchant is None:
            return any(may_manage(request.user, one) for one in merchants_of(request.user))
        return may_manage(request.user, merchant)


class BrandingInline(Managed, StackedInline):
    model = Branding

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PolicyInline(BrandingInline):
    model = Policy  # type: ignore[assignment]


class MembershipInline(Managed, TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields: list[str] = []
    raw_id_fields = ["user"]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))


@admin.register(Merchant)
class MerchantAdmin(Managed, ModelAdmin):
    list_display = ["name", "slug", "time_zone", "language", "help_phone", "is_active"]
    search_fields = ["name", "slug"]
    inlines = [BrandingInline, PolicyInline, MembershipInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merchant]:
        rows: QuerySet[Merchant] = super().get_queryset(request)
        return rows.filter(pk__in=merchants_of(request.user))

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        complete_merchant(merchant=form.instance)
        if change:
            announce_change(merchant=form.instance, actor=f"agent:{request.user.pk}")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [] if getattr(request.user, "is_superuser", False) else ["slug", "is_active"]


@admin.register(ApiKey)
class ApiKeyAdmin(Managed, ModelAdmin):
    list_display = ["name", "merchant", "prefix", "can_write", "created_at", "last_used_at", "revoked_at"]
    list_select_related = ["merchant"]
    fields = ["merchant", "name", "can_write"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        rows: QuerySet[ApiKey] = super().get_queryset(request)
        return rows.filter(merchant__in=merchants_of(request.user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["merchant", "can_write"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "merchant":
            kwargs["queryset"] = Merchant.objects.filter(
                pk__in=[one.pk for one in merchants_of(request.user) if may_manage(request.user, one)]
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, key = make_api_key(merchant=obj.merchant, name=obj.name, can_write=obj.can_write)
        obj.pk = row.pk
        obj.refresh_from_db()
        text = _("This is the key. It is shown this once and not kept: %(key)s") % {"key": key}
        self.message_user(request, text, messages.WARNING)

    @admin.action(description=gettext_lazy("Withdraw"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        own = [key for key in queryset.select_related("merchant") if may_manage(request.user, key.merchant)]
        count = sum(revoke_api_key(key=key) for key in own)
        self.message_user(request, _("%(count)s keys were withdrawn.") % {"count": count}, messages.SUCCESS)
