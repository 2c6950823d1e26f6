"""The product's addresses and an empty view: the anchor of `benchmarks.pages`, behind the same middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def empty(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("empty", empty), path("", include("config.urls"))]
