"""Every answer carries its policy, the errors too; no error tells a stranger how the house is built."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.deliveries.services import make_link, token_of
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def rude(client: Client) -> Client:
    client.raise_request_exception = False
    return client


def is_strict(answer: Any) -> bool:
    policy = answer.headers.get("Content-Security-Policy", "")
    return "frame-ancestors 'none'" in policy and "unsafe" not in policy


@pytest.mark.covers("GS1")
def test_pages_and_errors_carry_the_policy(rude: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.tracking.views import page

    token = token_of(make_link(delivery=world.delivery()))
    answers = {
        "page": rude.get(f"/t/{token}"),
        "404 of a link": rude.get("/t/nothing"),
        "404": rude.get("/nothing/here"),
        "405": rude.post(f"/t/{token}/state"),
        "400": rude.get("/t/x", HTTP_HOST="evil.example"),
        "403": Client(enforce_csrf_checks=True).post(f"/t/{token}/verify", {"channel": "sms"}),
        "health": rude.get("/healthz"),
        "API": rude.get("/api/v1/deliveries"),
    }
    monkeypatch.setattr(page, "dot_document", lambda *_args: 1 / 0)
    answers["500"] = rude.get(f"/t/{token}/dot")
    codes = {name: answer.status_code for name, answer in answers.items()}
    assert (codes["400"], codes["403"], codes["405"], codes["500"]) == (400, 403, 405, 500)
    assert not [name for name, answer in answers.items() if not is_strict(answer)]
    assert "Traceback" not in answers["500"].content.decode()
    assert "ZeroDivisionError" not in answers["500"].content.decode()


@pytest.mark.covers("GS1")
def test_without_the_middleware_there_is_no_policy(rude: Client, settings: Any) -> None:
    """The control."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "csp" not in name]
    assert not is_strict(Client().get("/nothing/here"))


@pytest.mark.covers("GS1")
def test_the_admin_talks_to_nobody_else_and_is_cached_by_nobody(client: Client) -> None:
    client.force_login(User.objects.create_superuser("operator"))
    for address in ("/admin/", "/admin/login/", "/admin/deliveries/delivery/"):
        answer = client.get(address, follow=True)
        policy = answer["Content-Security-Policy"]
        for part in ("default-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "object-src 'none'"):
            assert part in policy, address
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.covers("GS1")
@pytest.mark.parametrize("path", ["/.git/config", "/.env", "/static/", "/static/../config/settings.py", "/media/",
                                  "/var/doorstep.sqlite3", "/admin/doc/", "/__debug__/", "/demo/phone"])  # fmt: skip
def test_nothing_of_the_house_is_served(rude: Client, path: str) -> None:
    assert rude.get(path).status_code in {302, 404}


@pytest.mark.covers("GS1")
@pytest.mark.parametrize(
    "value",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "verify\r\nX-Evil: 1"],
)
def test_no_parameter_leads_to_another_site(rude: Client, value: str) -> None:
    token = token_of(make_link(delivery=world.delivery()))
    for name in ("next", "back", "return_url"):
        for tail in ("/verify", "/time", "/place", ""):
            answer = rude.get(f"/t/{token}{tail}", {name: value})
            assert "evil" not in answer.headers.get("Location", "")
            assert f'href="{value}"' not in answer.content.decode()
            assert "X-Evil" not in answer.headers
    login = rude.post(f"/admin/login/?next={value}", {"username": "x", "password": "y"})
    assert login.status_code == 200
