"""Who may open admin lists whose rows belong to all merchants at once."""

from typing import Any

from django.http import HttpRequest


class OperatorOnly:
    """Mixin for admin classes without a merchant to scope by: only the operator, a superuser, may look or act.

    Django's own permissions do not open them: they know models, not merchants.
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_operator(request) and bool(super().has_module_permission(request))  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request) and bool(super().has_view_permission(request, obj))  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request) and bool(super().has_add_permission(request))  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request) and bool(super().has_change_permission(request, obj))  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_operator(request) and bool(super().has_delete_permission(request, obj))  # type: ignore[misc]


def _is_operator(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
