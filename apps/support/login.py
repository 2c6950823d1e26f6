"""The admin's log-in, slowed down for whoever guesses."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold.forms import AuthenticationForm

from apps.core.errors import Throttled
from apps.core.throttles import count_try

# Per address and name, per address, per name. The last is wide, so that a stranger cannot lock an agent out cheaply.
LIMITS = (("login", 6), ("login-address", 30), ("login-name", 100))
WITHIN_SECONDS = 900


class ThrottledLoginForm(AuthenticationForm):
    """Counts a try before the password is looked at, so that parallel guesses share the limit."""

    def clean(self) -> dict[str, Any]:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        name = str(self.cleaned_data.get("username", "")).casefold()
        for (scope, limit), who in zip(LIMITS, (f"{address} {name}", address, name), strict=True):
            try:
                count_try(scope, who, limit=limit, seconds=WITHIN_SECONDS)
            except Throttled:
                raise ValidationError(
                    _("Too many tries to log in. Please wait a quarter of an hour."), code="throttled"
                ) from None
        cleaned: dict[str, Any] = super().clean()
        return cleaned
