"""Phones of drivers and clerks."""

import pytest

from apps.fleet import services
from apps.fleet.models import DepotDevice, Driver
from tests import world

pytestmark = pytest.mark.django_db


def test_a_token_is_shown_once_and_dies_when_revoked_or_replaced():
    driver = world.shift("van-1").driver
    token = services.issue_driver_token(driver=driver)
    assert services.find_driver(token) == driver
    assert token not in str(Driver.objects.values().get(pk=driver.pk))
    newer = services.issue_driver_token(driver=driver)
    assert services.find_driver(token) is None
    services.revoke_driver_token(driver=driver)
    assert services.find_driver(newer) is None
    assert services.find_driver(services.issue_driver_token(driver=driver)) == driver


def test_a_clerks_phone():
    token = services.issue_depot_device(depot=world.depot(), name="Scanner 1")
    device = services.find_depot_device(token)
    assert device is not None
    assert device.depot == world.depot()
    services.revoke_depot_device(device=DepotDevice.objects.get())
    assert services.find_depot_device(token) is None


@pytest.mark.parametrize("token", ["", "x", "\x00" * 40, "ü" * 40, "a" * 10_000])
def test_mangled_tokens_find_nobody(token):
    assert services.find_driver(token) is None
    assert services.find_depot_device(token) is None
