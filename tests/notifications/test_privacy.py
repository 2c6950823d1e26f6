"""What lies in tables and logs after a day of messages: no code, no link, no person outside the tables of persons."""

import logging
from collections.abc import Callable

import pytest
from django.apps import apps

from apps.deliveries import access, services
from apps.deliveries.models import Contact, Delivery
from tests.notifications.people import alice, announce


def everything_stored(*, without: set[str]) -> str:
    rows = []
    for model in apps.get_models():
        if model._meta.label in without or not model._meta.managed:
            continue
        rows += [f"{model._meta.label} {row}" for row in model.objects.values_list()]
    return "\n".join(rows)


@pytest.mark.django_db
@pytest.mark.covers("S1")
def test_no_code_link_or_person_in_rows_or_logs(
    wire: object,
    drain: Callable[..., int],
    texts: Callable[..., list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    delivery: Delivery = alice(email=None)
    person = delivery.recipient
    link = delivery.links.get()
    announce("delivery.created", delivery)
    access.request_code(access=access.open_link(services.token_of(link)), channel="sms")
    announce("delivery.state_changed", delivery, **{"from": "out", "to": "failed", "reason": ""})
    drain()
    person.phone = "+15005550001"
    person.save()
    announce("routing.next_stop", delivery)
    drain()
    code = next(text for text in texts() if "is your code" in text).split(": ")[1][:6]
    token = services.token_of(link)
    rows = everything_stored(without={"deliveries.Contact", "django_q.OrmQ"})
    logs = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("django.db"))
    for secret in (code, token, person.name, person.email, person.phone, "+42379100"):
        assert secret not in rows
        assert secret not in logs
    assert Contact.objects.filter(name=person.name).exists()
