"""What may come in: every face's addresses in one table."""

from django.contrib import admin
from django.urls import include, path

from apps.events.views import healthz

urlpatterns = [
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("", include("apps.tracking.urls")),
    path("", include("apps.notifications.urls")),
    path("", include("apps.storefront.urls")),
]
