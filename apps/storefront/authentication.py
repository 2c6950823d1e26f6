"""Who is calling: an API key of a merchant, nothing else. The key is the whole identity; there is no user."""

from dataclasses import dataclass
from typing import cast

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apps.core.errors import NotAllowed
from apps.core.throttles import count_try
from apps.merchants.models import ApiKey, Merchant
from apps.merchants.services import find_api_key

REQUESTS_PER_MINUTE = 600
WRONG_KEYS_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Caller:
    """The merchant behind a key, and how its deeds are signed in the record."""

    key: ApiKey
    is_authenticated: bool = True

    @property
    def merchant(self) -> Merchant:
        return self.key.merchant

    @property
    def actor(self) -> str:
        return f"merchant:{self.key.merchant_id}"


class BearerKey(BaseAuthentication):
    """`Authorization: Bearer ds_...`"""

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _space, secret = header.partition(" ")
        key = find_api_key(secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            # Only wrong keys are counted, so a stranger cannot lock a merchant out.
            count_try("api-wrong-key", request.META.get("REMOTE_ADDR", ""), limit=WRONG_KEYS_PER_MINUTE, seconds=60)
            raise exceptions.AuthenticationFailed(_("This API key is not known or no longer valid."))
        return Caller(key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Doorstep merchant API"'


class HasKey(BasePermission):
    """Every call needs a key, and a call that changes something needs one that may write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.user, Caller):
            raise exceptions.NotAuthenticated(_("This call needs an API key."))
        if request.method not in SAFE_METHODS and not request.user.key.can_write:
            raise NotAllowed("read_only_key", _("This API key may read, but not change anything."))
        return True


class PerKey(BaseThrottle):
    """Raises core.errors.Throttled, which says when to come back."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        caller = cast("Caller", request.user)
        count_try("api-key", str(caller.key.pk), limit=REQUESTS_PER_MINUTE, seconds=60)
        return True
