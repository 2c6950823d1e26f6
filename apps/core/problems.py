"""RFC 9457 problem details: the one error shape of every JSON interface."""

from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core.errors import DoorstepError, Refused, Throttled

CONTENT_TYPE = "application/problem+json"


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The body: `type` is a stable URN, `code` its short form, `detail` a sentence for people."""
    return {"type": f"urn:doorstep:problem:{code}", "code": code, "status": status, "detail": detail, **extra}


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler."""
    if isinstance(error, DoorstepError):
        extra = dict(error.details)
        if isinstance(error, Refused) and error.alternatives:
            extra["alternatives"] = [getattr(item, "as_json", lambda item=item: item)() for item in error.alternatives]
        response = Response(problem(error.status, error.code, error.message, **extra), status=error.status)
        if isinstance(error, Throttled) and "retry_after_seconds" in error.details:
            response["Retry-After"] = str(error.details["retry_after_seconds"])
    else:
        handled = exception_handler(error, context)
        if handled is None:
            return None
        response = handled
        response.data = _from_framework(error, handled)
    response.content_type = CONTENT_TYPE
    return response


def _from_framework(error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return problem(response.status_code, "invalid_input", "Some fields need attention.", fields=response.data)
    code = error.default_code if isinstance(error, exceptions.APIException) else "error"
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
    return problem(response.status_code, str(code), str(detail))
