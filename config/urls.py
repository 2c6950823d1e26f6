"""What may come in: every face's addresses in one table."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("apps.tracking.urls")),
    path("", include("apps.notifications.urls")),
]
