"""Trackers as staff see them: an app's id is shown once, when it is made or made anew."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.core.errors import DoorstepError
from apps.fleet.models import Tracker
from apps.fleet.services import add_app, add_box, revoke_tracker, rotate_tracker, tracker_digest


class TrackerForm(forms.ModelForm):
    identity = forms.CharField(
        label=_("Identifier in Traccar"),
        required=False,
        max_length=128,
        help_text=_("Only for a device behind a Traccar server; an app is given an id here."),
    )

    class Meta:
        model = Tracker
        fields = ["kind", "name", "driver", "vehicle"]

    def clean(self) -> dict[str, Any]:
        fields = super().clean() or {}
        if (fields.get("driver") is None) == (fields.get("vehicle") is None):
            raise ValidationError(_("Choose a driver or a vehicle."))
        if fields.get("kind") == Tracker.Kind.BOX and not fields.get("identity"):
            raise ValidationError(_("Enter the identifier that Traccar knows the device by."))
        digest = tracker_digest(Tracker.Kind.BOX, str(fields.get("identity", "")).strip())
        if fields.get("kind") == Tracker.Kind.BOX and Tracker.objects.filter(id_sha256=digest).exists():
            raise ValidationError(_("Another tracker has this identifier."))
        return fields


@admin.register(Tracker)
class TrackerAdmin(ModelAdmin):
    list_display = ["name", "kind", "driver", "vehicle", "made_at", "revoked_at"]
    list_filter = ["kind"]
    list_select_related = ["driver", "vehicle"]
    search_fields = ["name", "driver__name", "vehicle__code"]
    autocomplete_fields = ["driver", "vehicle"]
    actions = ["renew", "revoke"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if change else {**kwargs, "form": TrackerForm}))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The digest of a secret is nobody's business.
        known = ["name", "kind", "driver", "vehicle"]
        return [*known, "made_at", "revoked_at"] if obj else [*known, "identity"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["kind", "driver", "vehicle", "made_at", "revoked_at"] if obj else []

    def save_model(self, request: HttpRequest, obj: Tracker, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["name"])
            return
        shown_once = ""
        if obj.kind == Tracker.Kind.BOX:
            identity = form.cleaned_data["identity"]
            made = add_box(name=obj.name, identity=identity, driver=obj.driver, vehicle=obj.vehicle)
        else:
            made, shown_once = add_app(name=obj.name, driver=obj.driver, vehicle=obj.vehicle)
        obj.pk, obj.id_sha256, obj.made_at = made.pk, made.id_sha256, made.made_at
        request.tracker_id = shown_once  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Tracker, post_url_continue: Any = None) -> HttpResponse:
        identity = getattr(request, "tracker_id", "")
        return self._shown_once(request, obj, identity) if identity else super().response_add(request, obj)

    @admin.action(description=_("Give it a new id"), permissions=["change"])
    def renew(self, request: HttpRequest, queryset: QuerySet[Tracker]) -> HttpResponse | None:
        if queryset.count() != 1:
            self.message_user(request, _("Choose one tracker: its id is shown only once."), messages.WARNING)
            return None
        tracker = queryset.get()
        try:
            return self._shown_once(request, tracker, rotate_tracker(tracker=tracker))
        except DoorstepError as error:
            self.message_user(request, error.message, messages.ERROR)
            return None

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Tracker]) -> None:
        for tracker in queryset:
            revoke_tracker(tracker=tracker)

    def _shown_once(self, request: HttpRequest, tracker: Tracker, identity: str) -> HttpResponse:
        address = settings.PUBLIC_BASE_URL.rstrip("/") + "/ingest/osmand"
        back = reverse("admin:fleet_tracker_changelist")
        words = {"title": _("The id of %(name)s") % {"name": tracker.name}, "identity": identity, "address": address}
        answer = TemplateResponse(
            request, "fleet/tracker_id.html", {**self.admin_site.each_context(request), **words, "back": back}
        )
        answer["Cache-Control"] = "private, no-store"
        return answer
