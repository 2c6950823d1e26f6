"""Twilio's Messages resource for the demo and the tests: same address shape, log-in, answers, errors and call-backs.

Texts land on the demo's phone. Numbers with a meaning are Twilio's own test numbers, and three more of ours.
"""

import base64
import binascii
import hmac
import secrets
from email.utils import format_datetime
from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.core import clock
from apps.demo.models import PhoneMessage
from apps.events.services import react

REFUSED: dict[str, tuple[int, int, str]] = {
    "+15005550001": (400, 21211, "Invalid 'To' Phone Number"),
    "+15005550003": (400, 21408, "Permission to send an SMS has not been enabled for the region"),
    "+15005550004": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (400, 21614, "'To' number is not a valid mobile number"),
    "+15005550429": (429, 20429, "Too Many Requests"),
    "+15005550500": (503, 20503, "Service unavailable"),
}
# Accepted at first; the phone is off.
UNREACHABLE = {"+15005550303": 30003}
NEXT_STATUS = {"queued": "sent", "sent": "delivered"}
REPORT = "apps.demo.fake_twilio.report_status"
REPORT_SECONDS = 0.5
reports = requests.Session()


@csrf_exempt
@require_POST
def create_message(request: HttpRequest, account_sid: str) -> JsonResponse:
    """POST …/2010-04-01/Accounts/<sid>/Messages.json"""
    if not _is_known(request, account_sid):
        return _error(401, 20003, "Authenticate")
    to, body = request.POST.get("To", ""), request.POST.get("Body", "")
    sender = request.POST.get("From") or request.POST.get("MessagingServiceSid") or ""
    if not to:
        return _error(400, 21604, "A 'To' phone number is required.")
    if not sender:
        return _error(400, 21603, "A 'From' phone number is required.")
    if not body:
        return _error(400, 21602, "Message body is required.")
    if len(body) > 1600:
        return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if to in REFUSED:
        return _error(*REFUSED[to])
    callback = request.POST.get("StatusCallback", "")
    with transaction.atomic():
        message = PhoneMessage.objects.create(
            channel=PhoneMessage.Channel.SMS,
            to=to,
            sender=sender,
            body=body,
            provider_id="SM" + secrets.token_hex(16),
            status_callback=callback if callback.startswith(settings.PUBLIC_BASE_URL) else "",
            arrived_at=clock.now(),
        )
        _report_soon(message)
    return JsonResponse(_resource(message, account_sid), status=201)


def report_status(payload: dict[str, Any]) -> None:
    """Moves a text one status on and posts the signed report; the next one follows."""
    message = PhoneMessage.objects.get(pk=payload["phone_message"])
    error = UNREACHABLE.get(message.to)
    status = "undelivered" if error and message.status == "sent" else NEXT_STATUS.get(message.status, "")
    if not status:
        return
    fields = {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "From": message.sender,
        "MessageSid": message.provider_id,
        "MessageStatus": status,
        "SmsSid": message.provider_id,
        "SmsStatus": status,
        "To": message.to,
    }
    if status == "undelivered":
        fields["ErrorCode"] = str(error)
    answer = reports.post(
        message.status_callback,
        data=fields,
        headers={"X-Twilio-Signature": signature_of(message.status_callback, fields)},
        timeout=5,
        allow_redirects=False,
    )
    answer.raise_for_status()
    with transaction.atomic():
        if PhoneMessage.objects.filter(pk=message.pk, status=message.status).update(status=status):
            message.status = status
            _report_soon(message)


def signature_of(address: str, fields: dict[str, str]) -> str:
    from twilio.request_validator import RequestValidator

    return str(RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(address, fields))


def _report_soon(message: PhoneMessage) -> None:
    if message.status_callback and message.status in NEXT_STATUS:
        react(
            REPORT,
            payload={"phone_message": message.pk},
            delay_seconds=REPORT_SECONDS,
            lane="slow",
            dedupe_key=f"phone:{message.pk}:{message.status}",
        )


def _is_known(request: HttpRequest, account_sid: str) -> bool:
    scheme, _space, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    wanted = f"{settings.TWILIO_ACCOUNT_SID}:{settings.TWILIO_AUTH_TOKEN}".encode()
    is_same = hmac.compare_digest(given, wanted) and account_sid == settings.TWILIO_ACCOUNT_SID
    return bool(settings.TWILIO_AUTH_TOKEN) and scheme == "Basic" and is_same


def _error(status: int, code: int, message: str) -> JsonResponse:
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    response = JsonResponse(body, status=status)
    if status == 429:
        response["Retry-After"] = "2"
    return response


def _resource(message: PhoneMessage, account_sid: str) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{message.provider_id}"
    made = format_datetime(clock.wall(), usegmt=True).replace("GMT", "+0000")
    service = message.sender if message.sender.startswith("MG") else None
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": made,
        "date_sent": None,
        "date_updated": made,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if service else message.sender,
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": message.provider_id,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }
