"""RFC 9457 problem details: the one error shape of every JSON interface."""

import logging
import traceback
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core.errors import DoorstepError, Refused

CONTENT_TYPE = "application/problem+json"
MOST_ERRORS = 50
_BUSY_SECONDS = 2

log = logging.getLogger(__name__)


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The body: `type` is a stable URN, `code` its short form, `detail` a sentence for people."""
    return {
        "type": f"urn:doorstep:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
    }


def problem_json(status: int, code: str, detail: str, **extra: Any) -> JsonResponse:
    """The same as a plain Django answer, for views outside the REST framework."""
    return JsonResponse(problem(status, code, detail, **extra), status=status, content_type=CONTENT_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's exception handler, for expected errors and defects alike."""
    response = _from_doorstep(error) if isinstance(error, DoorstepError) else _from_framework(error, context)
    response.content_type = CONTENT_TYPE
    response["Cache-Control"] = "no-store"
    return response


def _from_doorstep(error: DoorstepError) -> Response:
    extra = dict(error.details)
    wait = extra.get("retry_after_seconds")
    if isinstance(error, Refused) and error.alternatives:
        extra["alternatives"] = [item.as_json() if hasattr(item, "as_json") else item for item in error.alternatives]
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return Response(problem(error.status, error.code, error.message, **extra), status=error.status, headers=headers)


def _from_defect(error: Exception, context: dict[str, Any]) -> Response:
    """Where it happened goes to the log; the error's own words do not, for they may quote a customer."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s in a JSON interface\n%s", type(error).__name__, frames)
    got_request_exception.send(sender=type(error), request=context.get("request"))
    return Response(problem(500, "defect", _("Something went wrong on our side.")), status=500)


def _from_framework(error: Exception, context: dict[str, Any]) -> Response:
    if isinstance(error, OperationalError):
        # Too many writers for a moment, or the database is away. Nothing was written.
        log.error("The database did not answer in time: %s", type(error).__name__)
        detail = _("The service is busy. Nothing was changed; please try again.")
        headers = {"Retry-After": str(_BUSY_SECONDS)}
        return Response(problem(503, "busy", detail), status=503, headers=headers)
    response = exception_handler(error, context)
    if response is None:
        return _from_defect(error, context)
    if isinstance(error, exceptions.ValidationError):
        errors = pointed_errors(response.data)[:MOST_ERRORS]
        response.data = problem(400, "invalid_input", _("Some fields need attention."), errors=errors)
        return response
    code = _code(error)
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
    response.data = problem(response.status_code, code, str(detail))
    return response


def _code(error: Exception) -> str:
    if isinstance(error, Http404):
        return "not_found"
    if isinstance(error, PermissionDenied):
        return "permission_denied"
    return str(error.default_code) if isinstance(error, exceptions.APIException) else "error"


def pointed_errors(found: Any, pointer: str = "") -> list[dict[str, str]]:
    """A serializer's nested errors as a list of {pointer, detail, code}; the pointer is an RFC 6901 one."""
    if isinstance(found, dict):
        return [error for name, inner in found.items() for error in pointed_errors(inner, pointer + _step(name))]
    if isinstance(found, list):
        nested = any(isinstance(inner, dict) for inner in found)
        errors: list[dict[str, str]] = []
        for index, inner in enumerate(found):
            errors += pointed_errors(inner, f"{pointer}/{index}" if nested else pointer)
        return errors
    return [{"pointer": pointer, "detail": str(found), "code": str(getattr(found, "code", "invalid"))}]


def _step(name: Any) -> str:
    if name == "non_field_errors":
        return ""
    return "/" + str(name)[:60].replace("~", "~0").replace("/", "~1")
