"""Zones as the operator draws them: on the map, or as GeoJSON where there is no JavaScript."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from apps.core.operator_only import OperatorOnly
from apps.fleet.models import Depot, Vehicle, Zone
from apps.fleet.services import note_zone

LONGEST_TEXT = 60_000
"""Characters of a form's GeoJSON: what is longer has too many corners anyhow, and is not even parsed."""


class ShapeField(forms.JSONField):
    """GeoJSON, its length looked at before anything else."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise forms.ValidationError(_("That is too long for a zone."), code="too_long")
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            # Python reads no integer of more than some 4,300 digits.
            raise forms.ValidationError(_("A zone is one GeoJSON polygon."), code="no_polygon") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed comes back as it was typed."""
        return initial if self.disabled else data

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else json.dumps(value)


class ZoneForm(forms.ModelForm):
    shape = ShapeField(
        label=_("Shape"),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "data-zone-shape": "", "spellcheck": "false"}),
        help_text=_(
            "Draw it on the map, or put in a GeoJSON polygon: [longitude, latitude] pairs, at most 400 corners."
        ),
    )
    barred_kinds = forms.MultipleChoiceField(
        label=_("May not enter"),
        choices=Vehicle.Kind.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What is on board already is still brought."),
    )

    class Meta:
        model = Zone
        fields = ["name", "shape", "hours", "barred_kinds", "most_grams_co2e_per_kilometre"]
        labels = {"most_grams_co2e_per_kilometre": _("Limit, grams CO₂e per kilometre")}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("barred_kinds") and cleaned.get("most_grams_co2e_per_kilometre") is None:
            self.add_error("barred_kinds", _("Say who may not enter: a kind of vehicle, or a limit."))
        return cleaned


@admin.register(Zone)
class ZoneAdmin(OperatorOnly, ModelAdmin):
    """The map stands in templates/admin/fleet/zone/change_form.html; static/js/admin-zone.js draws on it."""

    form = ZoneForm
    list_display = ["name", "shown_kinds", "most_grams_co2e_per_kilometre", "hours", "corners"]
    search_fields = ["name"]

    @admin.display(description=_("May not enter"))
    def shown_kinds(self, zone: Zone) -> str:
        known = dict(Vehicle.Kind.choices)
        return ", ".join(str(known.get(kind, kind)) for kind in zone.barred_kinds)

    @admin.display(description=_("Corners"))
    def corners(self, zone: Zone) -> int:
        return max(0, len(zone.shape.get("coordinates", [[]])[0]) - 1)

    def save_model(self, request: HttpRequest, obj: Zone, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        note_zone(zone_id=obj.pk)

    def delete_model(self, request: HttpRequest, obj: Zone) -> None:
        number = obj.pk
        super().delete_model(request, obj)
        note_zone(zone_id=number)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Zone]) -> None:
        numbers = sorted(queryset.values_list("pk", flat=True))
        super().delete_queryset(request, queryset)
        for number in numbers:
            note_zone(zone_id=number)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        depots = [
            {"kind": "depot", "lat": depot.latitude, "lon": depot.longitude, "label": depot.name}
            for depot in Depot.objects.order_by("pk")
        ]
        others = Zone.objects.exclude(pk=object_id if object_id and object_id.isdecimal() else 0)
        zones = [{"name": zone.name, "shape": zone.shape} for zone in others.order_by("pk")]
        context = {**(extra_context or {}), "zone_map": {"marks": depots, "zones": zones}}
        return super().changeform_view(request, object_id, form_url, context)
