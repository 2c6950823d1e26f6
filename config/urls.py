"""What may come in: every face's addresses in one table."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from apps.events.views import healthz

urlpatterns = [
    path("", include("apps.support.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("", include("apps.tracking.urls")),
    path("", include("apps.notifications.urls")),
    path("", include("apps.drivers.urls")),
    path("", include("apps.storefront.urls")),
]
if settings.DEMO:
    urlpatterns += [path("", include("apps.demo.urls"))]
