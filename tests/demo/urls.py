"""Every address of the product, and the demo's."""

from django.urls import include, path

urlpatterns = [path("", include("config.urls")), path("", include("apps.demo.urls"))]
