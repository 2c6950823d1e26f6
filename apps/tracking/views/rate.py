"""Stars, a comment and, where the merchant asks it, a number from 0 to 10."""

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.errors import DoorstepError, Refused, Stale
from apps.deliveries.access import Access
from apps.deliveries.services import token_of
from apps.feedback.models import Rating
from apps.feedback.rules import LONGEST_COMMENT, editable_until, may_be_rated
from apps.feedback.selectors import rating_of
from apps.feedback.services import is_author, rate
from apps.tracking.day_words import moment_words
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to
from apps.tracking.views.gate import paths

# Proves that this browser wrote the rating; it opens nothing else.
AUTHOR_COOKIE = "doorstep_rating"
_AUTHOR_SECONDS = 60 * 24 * 3600


@flow_view
def rating(request: HttpRequest, access: Access) -> HttpResponse:
    """GET shows the form (with what this browser said before), POST keeps it."""
    standing = rating_of(access.delivery.pk)
    if "done" in request.GET and standing is not None:
        return _done(request, access, standing)
    if request.method == "POST":
        return _rate(request, access)
    if not may_be_rated(access.delivery.state, access.delivery.merchant.policy):
        return _closed(request, access, Refused("not_ratable", _("There is nothing to rate yet.")))
    if standing is not None and not _may_change(request, access, standing):
        return _closed(request, access, Stale("already_rated", _("This delivery has been rated already.")))
    return _form(request, access, _said(request, standing))


def _rate(request: HttpRequest, access: Access) -> HttpResponse:
    author = request.COOKIES.get(AUTHOR_COOKIE) or secrets.token_urlsafe(24)
    stars, nps = _number(request.POST.get("stars")), request.POST.get("nps", "")
    comment = request.POST.get("comment", "")
    try:
        rate(
            access=access,
            stars=-1 if stars is None else stars,
            comment=comment,
            nps=None if nps == "" else _number(nps) if _number(nps) is not None else -1,
            author=author,
        )
    except FOR_THE_GATE:
        raise
    except (Refused, Stale) as error:
        return _closed(request, access, error)
    except DoorstepError as error:
        said = {"stars": stars, "comment": comment, "nps": _number(nps)}
        return _form(request, access, said, status=422, error=error)
    response = goes_to(access, "rate", "done=1")
    response.set_cookie(
        AUTHOR_COOKIE,
        author,
        max_age=_AUTHOR_SECONDS,
        path=paths(token_of(access.link))["page"],
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


def _may_change(request: HttpRequest, access: Access, standing: Rating) -> bool:
    return access.is_verified or is_author(standing, request.COOKIES.get(AUTHOR_COOKIE, ""))


def _said(request: HttpRequest, standing: Rating | None) -> dict[str, Any]:
    """What was said before, or the star that was pressed on the page."""
    if standing is not None:
        return {"stars": standing.stars, "comment": standing.comment, "nps": standing.nps}
    return {"stars": _number(request.GET.get("stars")), "comment": "", "nps": None}


def _form(
    request: HttpRequest,
    access: Access,
    said: dict[str, Any],
    *,
    status: int = 200,
    error: DoorstepError | None = None,
) -> HttpResponse:
    return flow_page(
        request,
        access,
        "rate",
        status=status,
        said=said,
        stars=[(number, star_words(number)) for number in range(1, 6)],
        numbers=range(11) if access.delivery.merchant.policy.ask_recommendation else (),
        longest=LONGEST_COMMENT,
        **(error_context(error) if error else {}),
    )


def star_words(number: int) -> str:
    return ngettext("%(n)d star", "%(n)d stars", number) % {"n": number}


def _closed(request: HttpRequest, access: Access, error: DoorstepError) -> HttpResponse:
    return flow_page(request, access, "closed", status=error.status, **error_context(error))


def _done(request: HttpRequest, access: Access, standing: Rating) -> HttpResponse:
    until = moment_words(
        editable_until(standing.rated_at, access.delivery.merchant.policy), access.delivery.merchant.time_zone
    )
    return flow_page(
        request,
        access,
        "result",
        heading=_("Thank you for your rating"),
        sentence=_("You can change it until %(moment)s.") % {"moment": until},
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else None
