"""Which merchants a member of staff may see and change. A superuser is the operator and sees all of them.

Admin classes of every app take their scope from `TenantScoped`.
"""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from apps.core.errors import NotAllowed
from apps.merchants.models import Membership, Merchant

WRITERS = (Membership.Role.OWNER, Membership.Role.AGENT)
Person = AbstractBaseUser | AnonymousUser


def merchants_of(user: Person) -> QuerySet[Merchant]:
    """The merchants this person may look at."""
    if not user.is_authenticated or not user.is_active:
        return Merchant.objects.none()
    if getattr(user, "is_superuser", False):
        return Merchant.objects.all()
    return Merchant.objects.filter(memberships__user_id=user.pk).distinct()


def may_write(user: Person, merchant: Merchant) -> bool:
    """Whether this person may act for the merchant's customers."""
    return _has_role(user, merchant, WRITERS)


def may_manage(user: Person, merchant: Merchant) -> bool:
    """Whether this person may change branding, policy, keys and members."""
    return _has_role(user, merchant, (Membership.Role.OWNER,))


def require_write(user: Person, merchant: Merchant) -> None:
    if not may_write(user, merchant):
        raise NotAllowed("not_your_merchant")


def _has_role(user: Person, merchant: Merchant, roles: tuple[Any, ...]) -> bool:
    if not user.is_authenticated or not user.is_active:
        return False
    if getattr(user, "is_superuser", False):
        return True
    return merchant.memberships.filter(user_id=user.pk, role__in=roles).exists()


def is_member_of_any(request: HttpRequest) -> bool:
    """Whether this member of staff has any merchant to look at; asked once per request, as admin asks per model."""
    known: bool | None = getattr(request, "is_member_of_any", None)
    if known is None:
        known = bool(getattr(request.user, "is_staff", False)) and merchants_of(request.user).exists()
        request.is_member_of_any = known  # type: ignore[attr-defined]
    return known


class TenantScoped:
    """Mixin for admin classes: staff look at the rows of their own merchants, and nobody edits them by hand.

    `merchant_path` is the look-up from a row to its merchant.
    """

    merchant_path = "merchant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if getattr(request.user, "is_superuser", False):
            return rows
        return rows.filter(**{f"{self.merchant_path}__in": merchants_of(request.user)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_member_of_any(request)

    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """For admin actions with permissions=["act"]; each row's merchant is checked again."""
        user = request.user
        if getattr(user, "is_superuser", False):
            return True
        return user.pk is not None and Membership.objects.filter(user_id=user.pk, role__in=WRITERS).exists()
