"""A phone to look at: the demo's fake Twilio behind the real SDK, and Django's own mail outbox."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import include, path

from apps.demo import fake_twilio
from apps.demo.models import PhoneMessage
from apps.demo.phone import newest, phone
from apps.notifications.transports import sms_twilio
from config import urls as real
from tests.notifications.twilio_wire import BASE, ToDoorstep, Wire

urlpatterns = [
    *real.urlpatterns,
    path("demo/twilio/2010-04-01/Accounts/<str:account_sid>/Messages.json", fake_twilio.create_message),
    path("demo/phone", phone),
    path("demo/phone/newest", newest),
]
if not any("apps.notifications" in str(row) for row in real.urlpatterns):
    urlpatterns.append(path("", include("apps.notifications.urls")))


@pytest.fixture(scope="session")
def phone_table(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """The demo app is not installed in the suite; its one table of messages is made by hand."""
    with django_db_blocker.unblock():
        if PhoneMessage._meta.db_table not in connection.introspection.table_names():
            with connection.schema_editor() as editor:
                editor.create_model(PhoneMessage)


@pytest.fixture
def wire(phone_table: None, db: None, settings: Any) -> Iterator[Wire]:
    """Texts travel: SDK -> fake Twilio -> PhoneMessage."""
    changes = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "token-of-the-test",
        "TWILIO_FROM": "+4232300000",
        "TWILIO_API_BASE": BASE,
        "PUBLIC_BASE_URL": "https://doorstep.example",
        "ROOT_URLCONF": "tests.notifications.conftest",
    }
    for name, value in changes.items():
        setattr(settings, name, value)
    made = Wire()
    sms_twilio._client.cache_clear()
    client = sms_twilio._client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, BASE)
    client.http_client.session.mount("http://twilio.test", made)
    fake_twilio.reports.mount("https://doorstep.example", ToDoorstep())
    yield made
    sms_twilio._client.cache_clear()


@pytest.fixture
def texts() -> Callable[..., list[str]]:
    """What stands on somebody's phone, oldest first."""

    def read(to: str | None = None) -> list[str]:
        found = PhoneMessage.objects.filter(channel="sms").order_by("pk")
        return list((found.filter(to=to) if to else found).values_list("body", flat=True))

    return read
