"""For staff: the queue of problem reports, and what people thought of their deliveries."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from apps.feedback.models import Dispute, ProblemPhoto, ProblemReport, Rating, ThreadMessage
from apps.feedback.rules import READY_SENTENCES
from apps.feedback.selectors import unanswered
from apps.feedback.services import close_report, take_report
from apps.merchants.access import TenantScoped, may_write, merchants_of

_COLOURS = {"open": "danger", "taken": "warning", "closed": "success"}
_SANDBOX = "default-src 'none'; sandbox"
# Whoever works for one merchant is not told who the others are.
OWN_MERCHANTS = ("delivery__merchant", admin.RelatedOnlyFieldListFilter)


@admin.register(ProblemReport)
class ProblemReportAdmin(TenantScoped, ModelAdmin):
    merchant_path = "delivery__merchant"
    list_display = ["case", "shown_state", "kind", "order", "merchant", "words", "photo_count", "reported_at"]
    list_filter = ["state", "kind", OWN_MERCHANTS]
    list_select_related = ["delivery__order", "delivery__merchant"]
    search_fields = ["number__iexact", "delivery__order__reference__istartswith"]
    ordering = ["-reported_at"]
    actions = ["take", "close"]
    fields = [
        "number",
        "state",
        "delivery_link",
        "kind",
        "text",
        "pictures",
        "is_verified",
        "reported_at",
        "closed_at",
    ]
    readonly_fields = ["number", "delivery_link", "pictures"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProblemReport]:
        return super().get_queryset(request).prefetch_related("photos")

    @admin.display(description=gettext_lazy("Number"), ordering="number")
    def case(self, row: ProblemReport) -> str:
        return format_html('<span class="whitespace-nowrap">{}</span>', row.number)

    @display(description=gettext_lazy("State"), ordering="state", label=_COLOURS)
    def shown_state(self, row: ProblemReport) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @admin.display(description=gettext_lazy("Order"))
    def order(self, row: ProblemReport) -> str:
        return row.delivery.order.reference

    @admin.display(description=gettext_lazy("Merchant"))
    def merchant(self, row: ProblemReport) -> str:
        return row.delivery.merchant.name

    @admin.display(description=gettext_lazy("What they say"))
    def words(self, row: ProblemReport) -> str:
        return row.text if len(row.text) <= 80 else row.text[:79] + "…"

    @admin.display(description=gettext_lazy("Photos"))
    def photo_count(self, row: ProblemReport) -> int:
        return len(row.photos.all())

    @admin.display(description=gettext_lazy("Delivery"))
    def delivery_link(self, row: ProblemReport) -> str:
        address = reverse("admin:deliveries_delivery_change", args=[row.delivery_id])
        return format_html('<a href="{}">{}</a>', address, row.delivery)

    @admin.display(description=gettext_lazy("Photos"))
    def pictures(self, row: ProblemReport) -> str:
        shown = ((photo_address(photo), _("Photo of the problem")) for photo in row.photos.all())
        return format_html_join(" ", '<a href="{0}"><img src="{0}" alt="{1}" width="240" loading="lazy"></a>', shown)

    @admin.action(description=gettext_lazy("Look into it"), permissions=["act"])
    def take(self, request: HttpRequest, queryset: QuerySet[ProblemReport]) -> None:
        own = self._own(request, queryset)
        count = sum(take_report(report=one, actor=f"agent:{request.user.pk}") for one in own)
        self.message_user(request, _("Cases taken: %(count)s.") % {"count": count}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Close the case"), permissions=["act"])
    def close(self, request: HttpRequest, queryset: QuerySet[ProblemReport]) -> None:
        own = self._own(request, queryset)
        count = sum(close_report(report=one, actor=f"agent:{request.user.pk}") for one in own)
        self.message_user(request, _("Cases closed: %(count)s.") % {"count": count}, messages.SUCCESS)

    def _own(self, request: HttpRequest, queryset: QuerySet[ProblemReport]) -> list[ProblemReport]:
        rows = queryset.select_related("delivery__merchant")
        return [one for one in rows if may_write(request.user, one.delivery.merchant)]

    def get_urls(self) -> list[URLPattern]:
        photo = self.admin_site.admin_view(self.photo)
        return [path("photo/<int:photo_id>", photo, name="feedback_problem_photo"), *super().get_urls()]

    def photo(self, request: HttpRequest, photo_id: int) -> HttpResponse:
        """The picture of a case of one's own merchants; 404 for everybody else's."""
        rows = ProblemPhoto.objects.filter(report__delivery__merchant__in=merchants_of(request.user))
        found = get_object_or_404(rows, pk=photo_id)
        try:
            body = found.image.open("rb").read()
        except FileNotFoundError:
            raise Http404 from None
        headers = {"Content-Security-Policy": _SANDBOX, "Cache-Control": "private, no-store"}
        return HttpResponse(body, content_type="image/jpeg", headers=headers)


@admin.register(Dispute)
class DisputeAdmin(TenantScoped, ModelAdmin):
    """The evidence and the decision stand on a page of their own (support: /admin/desk/dispute/)."""

    merchant_path = "delivery__merchant"
    list_display = ["raised_at", "shown_state", "order", "merchant", "text", "driver", "look"]
    list_filter = ["state", ("driver", admin.RelatedOnlyFieldListFilter), OWN_MERCHANTS]
    list_select_related = ["delivery__order", "delivery__merchant", "driver"]
    search_fields = ["delivery__order__reference__istartswith"]
    ordering = ["-raised_at"]

    @display(description=gettext_lazy("State"), ordering="state", label={"open": "danger", "upheld": "warning"})
    def shown_state(self, row: Dispute) -> tuple[str, str]:
        return row.state, str(row.get_state_display())

    @admin.display(description=gettext_lazy("Order"))
    def order(self, row: Dispute) -> str:
        return row.delivery.order.reference

    @admin.display(description=gettext_lazy("Merchant"))
    def merchant(self, row: Dispute) -> str:
        return row.delivery.merchant.name

    @admin.display(description=gettext_lazy("Evidence"))
    def look(self, row: Dispute) -> str:
        return format_html('<a href="{}">{}</a>', reverse("support:dispute", args=[row.pk]), _("Look into it"))


class WaitsFilter(admin.SimpleListFilter):
    """The desk's queue: what nobody has answered yet."""

    title = gettext_lazy("Waits for an answer")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", _("Yes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ThreadMessage]) -> QuerySet[ThreadMessage]:
        return unanswered(queryset) if self.value() == "1" else queryset


@admin.register(ThreadMessage)
class ThreadMessageAdmin(TenantScoped, ModelAdmin):
    """Answers are written on the delivery's own page."""

    merchant_path = "delivery__merchant"
    list_display = ["sent_at", "order", "by", "words", "to_driver", "delivered_at", "read_at"]
    list_display_links = None
    list_filter = [WaitsFilter, "by", "to_driver", OWN_MERCHANTS]
    list_select_related = ["delivery__order", "delivery__merchant"]
    search_fields = ["delivery__order__reference__istartswith"]
    ordering = ["-sent_at"]
    exclude = ["form_key"]

    @admin.display(description=gettext_lazy("Order"))
    def order(self, row: ThreadMessage) -> str:
        address = reverse("admin:deliveries_delivery_change", args=[row.delivery_id])
        return format_html('<a href="{}">{}</a>', address, row.delivery.order.reference)

    @admin.display(description=gettext_lazy("What they say"))
    def words(self, row: ThreadMessage) -> str:
        return row.text or str(READY_SENTENCES.get(row.sentence, ""))


@admin.register(Rating)
class RatingAdmin(TenantScoped, ModelAdmin):
    merchant_path = "delivery__merchant"
    list_display = ["delivery", "shown_stars", "nps", "comment", "rated_at"]
    list_filter = ["stars", OWN_MERCHANTS]
    list_select_related = ["delivery__order", "delivery__recipient"]
    ordering = ["-rated_at"]
    exclude = ["author_sha256"]

    @admin.display(description=gettext_lazy("Stars"), ordering="stars")
    def shown_stars(self, row: Rating) -> str:
        return "★" * row.stars + "☆" * (5 - row.stars)


def photo_address(photo: ProblemPhoto) -> Any:
    return reverse("admin:feedback_problem_photo", args=[photo.pk])
