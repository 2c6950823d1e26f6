"""Where providers report what became of a text."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.notifications.services import record_status

log = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def twilio_status(request: HttpRequest, public_id: str) -> HttpResponse:
    """204 for every report that Twilio signed, known or not; 403 for anything else."""
    if not _is_signed(request):
        log.warning("A Twilio report with a wrong signature was refused (57012).")
        return HttpResponse(status=403)
    record_status(
        public_id=public_id,
        provider_id=request.POST.get("MessageSid", "")[:64],
        status=request.POST.get("MessageStatus", ""),
        error_code=request.POST.get("ErrorCode", "")[:12],
    )
    return HttpResponse(status=204)


def _is_signed(request: HttpRequest) -> bool:
    """Over the public address and all fields that came, known or new. Proxies may have rewritten what Django sees."""
    from twilio.request_validator import RequestValidator

    if not settings.TWILIO_AUTH_TOKEN:
        return False
    address = settings.PUBLIC_BASE_URL.rstrip("/") + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    return bool(RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(address, request.POST, signature))
