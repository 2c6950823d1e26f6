"""For merchants: the blocks on their pages."""

import secrets
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
)

from apps.core.errors import InvalidInput
from apps.core.photos import cleaned_photo
from apps.deliveries.states import State
from apps.merchants.access import TenantScoped, may_manage, merchants_of
from apps.merchants.models import Merchant
from apps.merchants.services import announce_change
from apps.tracking.blocks import LONGEST_SIDE
from apps.tracking.extras import BLOCK_STATES
from apps.tracking.models import ContentBlock


class ContentBlockForm(forms.ModelForm):
    """Pictures are encoded anew, smaller and without their metadata."""

    segment = forms.MultipleChoiceField(
        label=_("Shown while"),
        choices=[(state.value, state.label) for state in State if state in BLOCK_STATES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None: in all of these. Never on a failure, on the way back, or while a problem is open."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", _("All")), *settings.LANGUAGES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def clean_image(self) -> Any:
        upload = self.cleaned_data.get("image")
        if not upload or "image" not in self.changed_data:
            return upload
        try:
            return cleaned_photo(upload, name=f"{secrets.token_hex(8)}.jpg", longest_side=LONGEST_SIDE)
        except InvalidInput as error:
            raise ValidationError(error.message) from None


@admin.register(ContentBlock)
class ContentBlockAdmin(TenantScoped, ModelAdmin):
    form = ContentBlockForm
    list_display = ["title", "merchant", "shown_segment", "shows_from", "shows_until", "is_active"]
    list_filter = [("merchant", admin.RelatedOnlyFieldListFilter), "is_active"]
    ordering = ["merchant", "position"]
    fields = [
        "merchant",
        "title",
        "text",
        ("link", "link_label"),
        "image",
        "picture",
        "segment",
        "language",
        ("shows_from", "shows_until"),
        ("position", "is_active"),
    ]

    readonly_fields = ["picture"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # The usual widget shows the file by an address that nobody serves.
        if db_field.name == "image":
            kwargs["widget"] = UnfoldAdminFileFieldWidget
        elif db_field.name == "link":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=_("Picture"))
    def picture(self, row: ContentBlock) -> str:
        if row.pk is None or not row.image:
            return ""
        address = reverse("tracking:block_picture", args=[row.merchant.slug, row.pk])
        return format_html('<img src="{}" alt="" width="260">', address)

    @admin.display(description=_("Shown while"))
    def shown_segment(self, row: ContentBlock) -> str:
        return ", ".join(str(State(state).label) for state in row.segment) or str(_("always"))

    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:
        return self._manages_any(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if isinstance(obj, ContentBlock):
            return may_manage(request.user, obj.merchant)
        return self._manages_any(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "merchant":
            kwargs["queryset"] = Merchant.objects.filter(pk__in=self._managed(request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ContentBlock, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        announce_change(merchant=obj.merchant, actor=f"agent:{request.user.pk}")

    def delete_model(self, request: HttpRequest, obj: ContentBlock) -> None:
        super().delete_model(request, obj)
        announce_change(merchant=obj.merchant, actor=f"agent:{request.user.pk}")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContentBlock]) -> None:
        merchants = {block.merchant for block in queryset.select_related("merchant")}
        super().delete_queryset(request, queryset)
        for merchant in merchants:
            announce_change(merchant=merchant, actor=f"agent:{request.user.pk}")

    def _manages_any(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_superuser", False) or self._managed(request))

    @staticmethod
    def _managed(request: HttpRequest) -> list[int]:
        """Asked once per request: admin asks for each of its four permissions."""
        known: list[int] | None = getattr(request, "managed_merchants", None)
        if known is None:
            known = [one.pk for one in merchants_of(request.user) if may_manage(request.user, one)]
            request.managed_merchants = known  # type: ignore[attr-defined]
        return known
