"""The merchant API."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from apps.storefront import api

app_name = "storefront"
urlpatterns = [
    path("api/v1/deliveries", api.DeliveriesView.as_view(), name="deliveries"),
    path("api/v1/deliveries/<slug:public_id>", api.DeliveryView.as_view(), name="delivery"),
    path("api/v1/deliveries/<slug:public_id>/cancel", api.CancelView.as_view(), name="cancel"),
    path(
        "api/v1/schema",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[], urlconf="apps.storefront.urls"),
        name="schema",
    ),
    re_path(r"^api/", api.UnknownView.as_view()),
]
