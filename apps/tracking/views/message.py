"""A short message on the way: the page says who will read it, before and after."""

import re
import secrets

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.door_codes import HIDDEN
from apps.core.errors import DoorstepError, Refused
from apps.deliveries.access import Access
from apps.feedback.rules import LONGEST_MESSAGE, thread_closed
from apps.feedback.services import write_message
from apps.tracking.reason_words import closed_reason
from apps.tracking.thread_words import reader_words
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to
from apps.tracking.views.gate import document_for

_KEY = re.compile(r"[0-9a-f]{32}")


@flow_view
def message(request: HttpRequest, access: Access) -> HttpResponse:
    """GET asks for a few words and says who reads them, POST sends them."""
    if "done" in request.GET:
        return _done(request, access)
    if request.method == "POST":
        return _send(request, access)
    reason = thread_closed(access.delivery.state, access.delivery.merchant.policy)
    if reason:
        status = 410 if reason == "ended" else 422
        return flow_page(request, access, "closed", status=status, error=closed_reason(reason), error_tone="warn")
    return _form(request, access, key=secrets.token_hex(16))


def _send(request: HttpRequest, access: Access) -> HttpResponse:
    sent = request.POST.get("key", "")
    key = sent if _KEY.fullmatch(sent) else secrets.token_hex(16)
    text = request.POST.get("text", "")
    try:
        write_message(access=access, text=text, to_driver=_reader(access) == "driver", form_key=key)
    except FOR_THE_GATE:
        raise
    except Refused as refused:
        return flow_page(request, access, "closed", status=refused.status, **error_context(refused))
    except DoorstepError as error:
        return _form(request, access, key=key, text=text, error=error)
    return goes_to(access, "message", "done=1")


def _reader(access: Access) -> str | None:
    return (document_for(access)["thread"] or {}).get("reader")


def _form(
    request: HttpRequest, access: Access, *, key: str, text: str = "", error: DoorstepError | None = None
) -> HttpResponse:
    context = {"key": key, "text": text, "longest": LONGEST_MESSAGE, "reader": reader_words(_reader(access))}
    if error is not None:
        context |= error_context(error)
    return flow_page(request, access, "message", status=422 if error else 200, **context)


def _done(request: HttpRequest, access: Access) -> HttpResponse:
    sent = access.delivery.thread.filter(by="shopper").order_by("-pk").first()
    if sent is not None and sent.to_driver:
        sentence = _("It is on its way to the driver's phone. This page says when it was read.")
    else:
        sentence = _("The help desk has it. An answer shows on this page.")
    if sent is not None and HIDDEN in sent.text:
        sentence += " " + _("The door code in it is locked away for the driver.")
    return flow_page(request, access, "result", heading=_("Your message is sent"), sentence=sentence)
