"""The fleet as staff see it: depots, vehicles, drivers, the roster, and what was thrown away of the position feed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from apps.fleet import tracker_admin, zone_admin  # noqa: F401
from apps.fleet.models import Depot, DepotDevice, Driver, Position, PositionDrop, Shift, Vehicle
from apps.fleet.services import revoke_depot_device, revoke_driver_token


class ReadOnlyAdmin(ModelAdmin):
    """Measured, not typed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Depot)
class DepotAdmin(ModelAdmin):
    list_display = ["code", "kind", "parent", "name", "town", "has_stock", "postcodes", "cutoff_time"]
    list_select_related = ["parent"]
    search_fields = ["code", "name", "town"]


@admin.register(Vehicle)
class VehicleAdmin(ModelAdmin):
    list_display = ["code", "kind", "depot", "profile", "capacity_grams", "capacity_pieces"]
    list_filter = ["kind", "depot"]
    list_select_related = ["depot"]
    search_fields = ["code"]


@admin.register(Driver)
class DriverAdmin(ModelAdmin):
    list_display = ["name", "phone", "has_phone", "upheld", "device_made_at", "device_revoked_at"]
    search_fields = ["name", "phone"]
    # The digest of a secret is nobody's business.
    fields = ["name", "phone", "upheld", "device_made_at", "device_revoked_at"]
    readonly_fields = ["upheld", "device_made_at", "device_revoked_at"]
    actions = ["sign_out"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Driver]:
        drivers: QuerySet[Driver] = super().get_queryset(request)
        return drivers.annotate(upheld_count=Count("disputes", filter=Q(disputes__state="upheld")))

    @admin.display(description=_("Attempts the customer was right about"), ordering="upheld_count")
    def upheld(self, driver: Any) -> SafeString | str:
        count = getattr(driver, "upheld_count", 0)
        url = f"{reverse('admin:feedback_dispute_changelist')}?state__exact=upheld&driver__id__exact={driver.pk}"
        return format_html('<a href="{}">{}</a>', url, count) if count else "0"

    @admin.display(description=_("Signed in"), boolean=True)
    def has_phone(self, driver: Driver) -> bool:
        return driver.device_sha256 is not None and driver.device_revoked_at is None

    @admin.action(description=_("Sign their phone out"), permissions=["change"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[Driver]) -> None:
        drivers = list(queryset)
        for driver in drivers:
            revoke_driver_token(driver=driver)
        count = len(drivers)
        told = ngettext("%(count)d phone is signed out.", "%(count)d phones are signed out.", count) % {"count": count}
        self.message_user(request, told, messages.SUCCESS)


@admin.register(DepotDevice)
class DepotDeviceAdmin(ModelAdmin):
    list_display = ["name", "depot", "revoked_at"]
    list_filter = ["depot"]
    list_select_related = ["depot"]
    fields = ["name", "depot", "revoked_at"]
    readonly_fields = ["depot", "revoked_at"]
    actions = ["sign_out"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description=_("Sign this phone out"), permissions=["change"])
    def sign_out(self, request: HttpRequest, queryset: QuerySet[DepotDevice]) -> None:
        for device in queryset:
            revoke_depot_device(device=device)


@admin.register(Shift)
class ShiftAdmin(ModelAdmin):
    list_display = ["day", "vehicle", "driver", "starts_at", "ends_at"]
    list_filter = ["vehicle__depot", "vehicle"]
    list_select_related = ["vehicle__depot", "driver"]
    search_fields = ["vehicle__code", "driver__name"]
    autocomplete_fields = ["vehicle", "driver"]
    date_hierarchy = "day"
    ordering = ["-day", "vehicle__code"]


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = ["vehicle", "at", "latitude", "longitude", "speed_metres_per_second"]
    list_select_related = ["vehicle"]
    search_fields = ["vehicle__code"]
    ordering = ["-at"]


@admin.register(PositionDrop)
class PositionDropAdmin(ReadOnlyAdmin):
    list_display = ["day", "reason", "count"]
    list_filter = ["reason"]
    ordering = ["-day", "reason"]
