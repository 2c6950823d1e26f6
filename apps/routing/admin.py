"""The plan as staff see it: day plans, routes in driving order, what no van could take, and every re-plan."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from apps.core import clock
from apps.core.operator_only import OperatorOnly
from apps.routing import (
    honesty_admin,  # noqa: F401  (registers the nights' models)
    plan_preview_views,
    plan_views,
)
from apps.routing.models import Closure, DayPlan, Drop, EtaChange, Incident, Replan, Route, Visit
from apps.routing.moved_words import MovedTime, moved_time
from apps.routing.services import note_closure

MOST_SHOWN = 200
VISIT_COLOURS = {"planned": "", "arrived": "info", "done": "success", "failed": "danger"}
OUTCOME_COLOURS = {"applied": "success", "kept": "info", "moved_meanwhile": "warning", "infeasible": "warning"} | {
    "planner_down": "danger"
}


class PlanIsWrittenByServices:
    """Nobody edits the plan by hand: a change that no route revision guards would break what pages say."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class RouteInline(PlanIsWrittenByServices, TabularInline):
    model = Route
    extra = 0
    show_change_link = True
    fields = ["shift", "departed_at", "finished_at", "revision"]


class ReplanInline(PlanIsWrittenByServices, TabularInline):
    model = Replan
    extra = 0
    ordering = ["-pk"]
    fields = [
        "started_at",
        "reason",
        "mode",
        "policy",
        "outcome",
        "detail",
        "cost_before",
        "cost_after",
        "vans_changed",
        "reordered",
        "overlap_before",
        "overlap_after",
        "spread_before",
        "spread_after",
        "solve_milliseconds",
    ]


@admin.register(DayPlan)
class DayPlanAdmin(OperatorOnly, PlanIsWrittenByServices, ModelAdmin):
    """The dispatcher's page of a day stands in templates/admin/routing/dayplan/change_form.html."""

    list_display = ["day", "depot", "shown_stage", "stops", "left_out", "travel_source", "published_at"]
    list_filter = ["depot", "stage"]
    list_select_related = ["depot"]
    date_hierarchy = "day"
    ordering = ["-day"]
    inlines = [RouteInline, ReplanInline]

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        own = [
            path("<int:plan_id>/tracks.json", site(plan_views.tracks), name="routing_dayplan_tracks"),
            path("<int:plan_id>/act", site(plan_views.act), name="routing_dayplan_act"),
            path("preview/<int:preview_id>.json", site(plan_preview_views.status), name="routing_preview_status"),
            path(
                "preview/<int:preview_id>/tracks.json", site(plan_preview_views.tracks), name="routing_preview_tracks"
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        plan = DayPlan.objects.select_related("depot").filter(pk=object_id).first() if object_id.isdecimal() else None
        context = {**(extra_context or {}), **(plan_views.page_of(plan) if plan is not None else {})}
        page: HttpResponse = super().change_view(request, object_id, form_url, context)
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[DayPlan]:
        unplanned = Q(visits__route=None, visits__state=Visit.State.PLANNED)
        plans: QuerySet[DayPlan] = super().get_queryset(request)
        return plans.annotate(stop_count=Count("visits"), left_count=Count("visits", filter=unplanned))

    @display(description=_("Stage"), label={"draft": "warning", "published": "success"})
    def shown_stage(self, plan: DayPlan) -> tuple[str, str]:
        return plan.stage, plan.get_stage_display()

    @admin.display(description=_("Stops"), ordering="stop_count")
    def stops(self, plan: Any) -> int:
        return int(plan.stop_count)

    @admin.display(description=_("Without a van"), ordering="left_count")
    def left_out(self, plan: Any) -> SafeString | str:
        url = reverse("admin:routing_visit_changelist")
        query = f"?plan__id__exact={plan.pk}&route__isnull=True"
        return format_html('<a href="{}{}">{}</a>', url, query, plan.left_count) if plan.left_count else "0"


@admin.register(Route)
class RouteAdmin(OperatorOnly, PlanIsWrittenByServices, ModelAdmin):
    list_display = ["day", "vehicle", "driver", "departed_at", "finished_at", "revision"]
    list_filter = ["plan__day", "plan__depot"]
    list_select_related = ["plan__depot", "shift__vehicle", "shift__driver"]
    search_fields = ["shift__vehicle__code", "shift__driver__name"]
    ordering = ["-plan__day", "shift__vehicle__code"]
    fields = ["plan", "shift", "departed_at", "finished_at", "revision", "stops"]
    readonly_fields = ["stops"]

    @admin.display(description=_("Day"), ordering="plan__day")
    def day(self, route: Route) -> object:
        return route.plan.day

    @admin.display(description=_("Vehicle"), ordering="shift__vehicle__code")
    def vehicle(self, route: Route) -> str:
        return route.shift.vehicle.code

    @admin.display(description=_("Driver"), ordering="shift__driver__name")
    def driver(self, route: Route) -> str:
        return route.shift.driver.name

    @admin.display(description=_("Stops in driving order"))
    def stops(self, route: Route) -> SafeString:
        zone = ZoneInfo(route.plan.depot.time_zone)
        visits = route.visits.select_related("place", "collects__order").order_by("sequence")
        visits = visits.prefetch_related("drops__delivery__order")
        rows = ((_shown(visit.planned_arrival, zone), visit.get_state_display(), _orders(visit)) for visit in visits)
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} · {} · {}</li>", rows))


@admin.register(Visit)
class VisitAdmin(OperatorOnly, PlanIsWrittenByServices, ModelAdmin):
    list_display = ["id", "plan", "route", "sequence", "orders", "town", "shown_state", "arrival", "unserved_reason"]
    list_filter = ["state", "plan__day", ("route", admin.EmptyFieldListFilter)]
    list_select_related = ["plan__depot", "route__shift__vehicle", "place"]
    search_fields = ["drops__delivery__order__reference", "collects__order__reference", "place__postcode", "=id"]
    ordering = ["-plan__day", "route", "sequence"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Visit]:
        visits: QuerySet[Visit] = super().get_queryset(request)
        return visits.prefetch_related("drops__delivery__order", "collects__order")

    @admin.display(description=_("Deliveries"))
    def orders(self, visit: Visit) -> SafeString:
        return _orders(visit)

    @admin.display(description=_("Town"))
    def town(self, visit: Visit) -> str:
        return visit.place.town

    @display(description=_("State"), label=VISIT_COLOURS)
    def shown_state(self, visit: Visit) -> tuple[str, str]:
        return visit.state, visit.get_state_display()

    @admin.display(description=_("Expected"), ordering="planned_arrival")
    def arrival(self, visit: Visit) -> str:
        return _shown(visit.planned_arrival, ZoneInfo(visit.plan.depot.time_zone))


@admin.register(Replan)
class ReplanAdmin(OperatorOnly, PlanIsWrittenByServices, ModelAdmin):
    list_display = [
        "started_at",
        "plan",
        "reason",
        "mode",
        "policy",
        "shown_outcome",
        "detail",
        "saved",
        "moved",
        "churn",
        "overlap",
        "apart",
        "milliseconds",
    ]
    list_filter = ["outcome", "reason", "mode", "policy"]
    list_select_related = ["plan__depot"]
    ordering = ["-pk"]
    show_full_result_count = False
    readonly_fields = ["moved_times"]

    @admin.display(description=_("Times it moved"))
    def moved_times(self, replan: Replan) -> SafeString:
        zone = ZoneInfo(replan.plan.depot.time_zone)
        rows = replan.eta_changes.select_related("delivery__order").order_by("pk")[:MOST_SHOWN]
        lines = (_moved_line(row, moved_time(row, zone)) for row in rows)
        return format_html("<ul>{}</ul>", format_html_join("", '<li><a href="{}">{}</a> {}</li>', lines))

    @display(description=_("Outcome"), label=OUTCOME_COLOURS)
    def shown_outcome(self, replan: Replan) -> str:
        return replan.outcome

    @admin.display(description=_("Saved"))
    def saved(self, replan: Replan) -> str:
        if replan.cost_before is None or replan.cost_after is None:
            return "–"
        return str(replan.cost_before - replan.cost_after)

    @admin.display(description=_("Moved > 5 / > 10 min"))
    def moved(self, replan: Replan) -> str:
        return f"{replan.moved_over_5_minutes} / {replan.moved_over_10_minutes}"

    @admin.display(description=_("Other van / other turn"))
    def churn(self, replan: Replan) -> str:
        return f"{replan.vans_changed} / {replan.reordered}"

    @admin.display(description=_("Vans overlap, per mille"))
    def overlap(self, replan: Replan) -> str:
        return _fell(replan.overlap_before, replan.overlap_after)

    @admin.display(description=_("Work apart, s"))
    def apart(self, replan: Replan) -> str:
        return _fell(replan.spread_before, replan.spread_after)

    @admin.display(description=_("ms"), ordering="solve_milliseconds")
    def milliseconds(self, replan: Replan) -> int:
        return replan.solve_milliseconds


@admin.register(Incident)
class IncidentAdmin(OperatorOnly, PlanIsWrittenByServices, ModelAdmin):
    list_display = ["at", "kind", "plan", "route", "figures"]
    list_filter = ["kind", "plan__day"]
    list_select_related = ["plan__depot", "route__shift__vehicle"]
    ordering = ["-pk"]


@admin.register(Closure)
class ClosureAdmin(OperatorOnly, ModelAdmin):
    list_display = ["name", "depot", "radius_metres", "begins_at", "ends_at", "profiles"]
    list_filter = ["depot"]
    list_select_related = ["depot"]
    ordering = ["-begins_at"]

    def save_model(self, request: HttpRequest, obj: Closure, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        note_closure(obj, word=f"{clock.now():%H%M%S}")


def _orders(visit: Visit) -> SafeString:
    """Links to the deliveries of a stop; slot holds are marked."""

    def link(drop: Drop) -> tuple[str, object, str]:
        url = reverse("admin:deliveries_delivery_change", args=[drop.delivery_id])
        return url, drop.delivery.order, " (hold)" if drop.is_hold else ""

    found = [link(drop) for drop in visit.drops.all()]
    if visit.collects is not None:
        url = reverse("admin:deliveries_delivery_change", args=[visit.collects_id])
        found.append((url, visit.collects.order, " (collected here)"))
    return format_html_join(", ", '<a href="{}">{}</a>{}', found)


def _moved_line(row: EtaChange, move: MovedTime) -> tuple[str, object, str]:
    url = reverse("admin:deliveries_delivery_change", args=[row.delivery_id])
    causes = "; ".join(f"{by} {why}" for by, why in move.causes)
    return url, row.delivery.order, f"{move.before} → {move.after} ({move.by}), {move.vans}: {causes}"


def _fell(before: int | None, after: int | None) -> str:
    return "–" if before is None or after is None else f"{before} → {after}"


def _shown(instant: datetime | None, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%H:%M") if instant is not None else "–"
