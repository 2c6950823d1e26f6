"""What an owner saves in the admin is on every open page of the merchant."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.merchants.models import Merchant
from apps.tracking.selectors import page_document
from tests import world
from tests.tracking.verify_change import verify_change

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def steady_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers of the verified tier have no cookie to show."""
    monkeypatch.setattr("apps.tracking.tail._still_verified", lambda box: True)


def form_of(client: Client, url: str) -> dict[str, Any]:
    """The fields of an admin page as a browser would send them back."""
    context = client.get(url).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    values = {form[name].html_name: form[name].value() for form in forms for name in form.fields}
    return {name: value for name, value in values.items() if value is not None and value is not False}


@pytest.mark.covers("T3")
def test_a_new_phone_number_and_a_closed_option_reach_open_pages(client: Client, drain: Callable[..., int]) -> None:
    alice = world.delivery("Alice")
    client.force_login(get_user_model().objects.create_superuser("operator"))
    url = reverse("admin:merchants_merchant_change", args=[world.merchant().pk])
    drain()
    fields = {**form_of(client, url), "help_phone": "+423 111 22 33"}
    del fields["policy-0-allow_cancel"]
    with verify_change(drain, alice):
        answer = client.post(url, fields)
        assert answer.status_code == 302, answer.context["errors"]
    assert Merchant.objects.get().help_phone == "+423 111 22 33"
    page = page_document(alice, "link")
    assert page["help"]["phone"] == "+423 111 22 33"
    assert {one["code"]: one["reason"] for one in page["actions"]}["cancel"] == "policy"
