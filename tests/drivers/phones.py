"""Phones at work in tests: signed in by header or by cookie, on a day of three deliveries."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.deliveries.models import Delivery
from apps.fleet.models import Driver
from apps.fleet.services import issue_depot_device, issue_driver_token
from apps.routing.models import Route, Visit
from tests import world


def one_van_day(names: tuple[str, ...] = ("Alice", "Bob", "Charlie")) -> tuple[list[Delivery], Driver]:
    """Everything is on one van; its driver."""
    deliveries = world.planned_day(names, vans=1)
    return deliveries, Driver.objects.get(name="Driver of van-1")


def phone_of(driver: Driver) -> Client:
    """The driver's phone as an app or the simulator uses it."""
    return Client(headers={"Authorization": f"Device {issue_driver_token(driver=driver)}"})


def browser_of(driver: Driver, *, csrf: bool = False) -> Client:
    """The driver's phone as a browser that opened the sign-in link."""
    client = Client(enforce_csrf_checks=csrf)
    assert client.get(f"/driver/enter/{issue_driver_token(driver=driver)}").status_code == 302
    return client


def clerk_browser() -> Client:
    client = Client()
    assert client.get(f"/depot/enter/{issue_depot_device(depot=world.depot(), name='Ramp 1')}").status_code == 302
    return client


def clerk_phone() -> Client:
    token = issue_depot_device(depot=world.depot(), name="Ramp 1")
    return Client(headers={"Authorization": f"Device {token}"})


def post(client: Client, path: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


def visits(driver: Driver) -> list[Visit]:
    return list(Visit.objects.filter(route__shift__driver=driver).order_by("sequence"))


def leave(driver: Driver) -> None:
    from apps.routing.services import depart

    depart(route=Route.objects.get(shift__driver=driver), actor="system")


def photo(size: tuple[int, int] = (64, 48), *, kind: str = "JPEG", exif: bytes = b"") -> SimpleUploadedFile:
    made = BytesIO()
    Image.new("RGB", size, "teal").save(made, kind, **({"exif": exif} if exif else {}))
    return SimpleUploadedFile("door.jpg", made.getvalue(), content_type="image/jpeg")
