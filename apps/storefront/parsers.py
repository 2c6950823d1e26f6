"""JSON that means one thing only: UTF-8, no duplicate names, no NaN, bounded in size, depth and count."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.parsers import BaseParser

LARGEST_BODY_BYTES = 64 * 1024
# Opening brackets in a body; far above what fifty parcels need, far below what a parser's stack holds.
MOST_BRACKETS = 500
MOST_NAMES = 2_000


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = "A request may hold at most 64 KiB."


class LengthRequired(exceptions.APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body. TooLarge, ParseError or UnsupportedMediaType when it is none we take."""
        request = (parser_context or {})["request"]
        _check_headers(request.META, request.content_type or "")
        body = stream.read(LARGEST_BODY_BYTES + 1)
        if len(body) > LARGEST_BODY_BYTES:
            raise TooLarge
        return decoded(body)


def decoded(body: bytes) -> Any:
    """The value of a JSON text; ParseError names what is wrong with it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise exceptions.ParseError(_("The body must be UTF-8.")) from None
    if text.startswith("\ufeff"):
        raise exceptions.ParseError(_("The body must not start with a byte order mark."))
    if text.count("[") + text.count("{") > MOST_BRACKETS:
        raise exceptions.ParseError(_("The body holds too many objects or lists."))
    try:
        return json.loads(
            text,
            object_pairs_hook=_Names().unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except exceptions.ParseError:
        raise
    except (ValueError, RecursionError):
        raise exceptions.ParseError(_("The body is not valid JSON.")) from None


def _check_headers(meta: Mapping[str, Any], content_type: str) -> None:
    if str(meta.get("HTTP_CONTENT_ENCODING", "identity")).lower() not in ("", "identity"):
        raise exceptions.UnsupportedMediaType(content_type, _("Send the body uncompressed."))
    charset = content_type.lower().replace(" ", "").replace('"', "").partition("charset=")[2].partition(";")[0]
    if charset not in ("", "utf-8", "utf8"):
        raise exceptions.UnsupportedMediaType(content_type, _("Send the body as UTF-8."))
    if int(meta.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_BYTES:
        raise TooLarge


class _Names:
    """Counts the names of one body and lets none stand twice in an object."""

    def __init__(self) -> None:
        self.seen = 0

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        self.seen += len(pairs)
        if self.seen > MOST_NAMES:
            raise exceptions.ParseError(_("The body holds too many names."))
        found = dict(pairs)
        if len(found) != len(pairs):
            raise exceptions.ParseError(_("A name stands twice in one object."))
        return found


def _no_constant(_word: str) -> NoReturn:
    raise exceptions.ParseError(_("NaN and Infinity are not JSON."))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise exceptions.ParseError(_("A number is too large."))
    return number
