"""The nights' models as the operator sees them, and above them how honest the arrival times were."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from apps.core.operator_only import OperatorOnly
from apps.routing import honesty
from apps.routing.models import LearnedModel


@admin.register(LearnedModel)
class LearnedModelAdmin(OperatorOnly, ModelAdmin):
    list_display = ["made_at", "stops", "error_before", "error_learned", "calibrated"]
    ordering = ["-pk"]
    fields = ["made_at", "stops", "measures", "content"]
    readonly_fields = fields
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        leads = [_shown(lead) for lead in honesty.leads()]
        page: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "leads": leads})
        return page

    @admin.display(description=gettext_lazy("Error half an hour ahead, nothing learned"))
    def error_before(self, model: LearnedModel) -> str:
        return _minutes(model.measures.get("mae_prior_seconds", 0.0))

    @admin.display(description=gettext_lazy("With what other days taught"))
    def error_learned(self, model: LearnedModel) -> str:
        return _minutes(model.measures.get("mae_learned_seconds", 0.0))

    @admin.display(description=gettext_lazy("Quantiles calibrated"), boolean=True)
    def calibrated(self, model: LearnedModel) -> bool:
        return bool(model.measures.get("calibrated"))


def _shown(lead: honesty.Lead) -> dict[str, Any]:
    hours = lead.minutes // 60
    before = _("%(hours)d h") % {"hours": hours} if lead.minutes >= 120 else _("%(n)d min") % {"n": lead.minutes}
    return {
        "before": before,
        "count": lead.count,
        "average": _minutes(lead.mean_absolute_error),
        "median": _minutes(lead.median_absolute_error),
        "bias": f"{lead.bias / 60:+.1f}",
        "coverage": f"{lead.coverage:.0%}",
        "tone": "good" if lead.is_honest else "warn",
        "width": _minutes(lead.width_minutes * 60),
    }


def _minutes(seconds: float) -> str:
    return _("%(minutes)s min") % {"minutes": f"{seconds / 60:.1f}"}
