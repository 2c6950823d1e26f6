"""Static files come whole, in parts, or not again; and pages stay on the thread that was asked."""

import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from apps.core.static_files import StaticFiles


def test_a_file_is_served_with_its_type_and_not_twice(client: Client) -> None:
    answer = client.get("/static/css/tokens.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    assert b":root" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    again = client.get("/static/css/tokens.css", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head("/static/css/tokens.css")["Content-Length"] == answer["Content-Length"]


def test_a_part_of_a_file(client: Client) -> None:
    answer = client.get("/static/css/tokens.css", headers={"Range": "bytes=0-4"})
    assert answer.status_code == 206
    assert len(b"".join(answer.streaming_content)) == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/static/no-such.css", "/static/../manage.py", "/static/%2e%2e/manage.py"])
@pytest.mark.django_db
def test_nothing_else_is_a_file(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_pages_stay_on_their_thread(rf: RequestFactory) -> None:
    seen: list[Any] = []

    def view(_request: HttpRequest) -> HttpResponse:
        seen.append(threading.get_ident())
        return HttpResponse("ok")

    assert StaticFiles(view)(rf.get("/t/x")).status_code == 200
    assert seen == [threading.get_ident()]
