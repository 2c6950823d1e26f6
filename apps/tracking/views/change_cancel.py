"""Calling a delivery off: one page, a reason, a yes. For verified readers."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError
from apps.deliveries.access import Access, require_verified
from apps.rescheduling.services import cancel_delivery
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to, revision_from


@flow_view
def cancel(request: HttpRequest, access: Access) -> HttpResponse:
    """GET asks why, POST cancels."""
    if "done" in request.GET and access.delivery.state == "cancelled":
        return _done(request, access)
    require_verified(access)
    if request.method == "POST":
        return _cancel(request, access)
    return flow_page(request, access, "cancel", reasons=reasons())


def reasons() -> list[tuple[str, str]]:
    return [
        ("not_needed", _("I do not need it any more")),
        ("too_late", _("It comes too late for me")),
        ("ordered_twice", _("I ordered it twice")),
        ("other", _("Another reason")),
    ]


def _cancel(request: HttpRequest, access: Access) -> HttpResponse:
    reason = request.POST.get("reason", "")
    known = {code for code, _words in reasons()}
    try:
        cancel_delivery(
            delivery=access.delivery,
            reason=reason if reason in known else "other",
            revision=revision_from(request),
            actor="shopper",
            access=access,
        )
    except FOR_THE_GATE:
        raise
    except DoorstepError as error:
        access.delivery.refresh_from_db()
        return flow_page(request, access, "cancel", status=error.status, reasons=reasons(), **error_context(error))
    return goes_to(access, "cancel", "done=1")


def _done(request: HttpRequest, access: Access) -> HttpResponse:
    heading = _("The delivery is cancelled")
    sentence = _("%(name)s knows and takes the parcel back.") % {"name": access.delivery.merchant.name}
    return flow_page(request, access, "result", heading=heading, sentence=sentence)
