"""The operator's window on the outbox: read what happened, see what is parked, run it again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from apps.core.operator_only import OperatorOnly
from apps.events.models import Event, Reaction
from apps.events.services import rerun


class ReadOnlyAdmin(OperatorOnly, ModelAdmin):
    """Facts are not edited, and they are of all merchants."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["id", "at", "kind", "delivery_id", "plan_id", "actor"]
    list_filter = ["kind"]
    search_fields = ["=delivery_id", "=plan_id", "kind"]
    ordering = ["-id"]
    show_full_result_count = False


@admin.register(Reaction)
class ReactionAdmin(ReadOnlyAdmin):
    list_display = ["id", "handler", "state", "attempts", "due_at", "next_try_at", "last_error"]
    list_filter = ["state", "lane", "handler"]
    list_select_related = ["event"]
    search_fields = ["=event__delivery_id", "handler", "=dedupe_key"]
    ordering = ["-id"]
    show_full_result_count = False
    actions = ["run_again"]

    @admin.action(description=_("Run again"), permissions=["run_again"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[Reaction]) -> None:
        chosen = list(queryset)
        again = sum(rerun(reaction) for reaction in chosen)
        self.message_user(
            request,
            ngettext("%(count)d reaction will run again.", "%(count)d reactions will run again.", again)
            % {"count": again},
            messages.SUCCESS,
        )
        if again < len(chosen):
            left = _("The others are open already, or equal work is waiting.")
            self.message_user(request, left, messages.WARNING)

    def has_run_again_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
