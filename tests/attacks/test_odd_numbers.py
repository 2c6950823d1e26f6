"""Numbers no table holds, in every address that takes one: an ordinary refusal, never an error of ours."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from apps.deliveries import access as gate
from apps.deliveries.services import make_link, token_of
from tests import world

pytestmark = pytest.mark.django_db
NUMBERS = ["0", "9" * 19, "9" * 30, "9" * 300, "9" * 4000, "9" * 5000]


@pytest.mark.covers("GS1")
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{len(number)} digits")
def test_long_numbers_are_answered(client: Client, number: str) -> None:
    cache.clear()
    client.raise_request_exception = False
    opened = gate.open_link(token_of(make_link(delivery=world.delivery())))
    token = token_of(opened.link)
    step_up = gate.request_code(access=opened, channel="sms")
    client.cookies[gate.VERIFIED_COOKIE] = gate.verify_code(access=opened, code=gate.issue_code(step_up_id=step_up.pk))
    assert client.get(f"/t/{token}/proof/{number}").status_code == 404
    assert client.get(f"/tiles/{number}/{number}/{number}.pbf").status_code in {204, 404}
    assert client.get(f"/t/{token}/state?v={number}").status_code == 200
    assert client.post(f"/t/{token}/instructions", {"note": "x", "revision": number}).status_code in {409, 422}
    assert client.get(f"/t/{token}/time?window={number}-{number}").status_code in {200, 422}
    for step in ("arrive", "complete", "fail"):
        refused = client.post(f"/driver/api/visits/{number}/{step}", HTTP_AUTHORIZATION="Device nobody")
        assert refused.status_code in {401, 404}
    client.force_login(User.objects.create_superuser("operator"))
    assert client.post(f"/admin/desk/{number}/as-customer").status_code == 404
