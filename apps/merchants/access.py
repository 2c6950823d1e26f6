"""Which merchants a member of staff may see and change. A superuser is the operator and sees all of them."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

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
