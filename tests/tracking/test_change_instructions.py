"""Instructions for the driver, without a line of JavaScript."""

import pytest

from apps.deliveries import access as gate
from apps.deliveries.models import AccessCode, Delivery
from apps.deliveries.services import make_link, token_of
from apps.instructions.models import Instruction
from tests import world
from tests.tracking.shopper import Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def delivery() -> Delivery:
    return world.delivery()


@pytest.fixture
def shopper(delivery: Delivery) -> Shopper:
    return Shopper(token_of(make_link(delivery=delivery)))


def confirm(shopper: Shopper, wanted: str) -> Shopper:
    """The step up, with the code read off the phone."""
    from apps.deliveries.models import StepUp

    shopper.open(f"{shopper.page_address}/verify?next={wanted}").send(channel="sms")
    code = gate.issue_code(step_up_id=StepUp.objects.latest("pk").pk)
    return shopper.send(code=code)


@pytest.mark.covers("I1", "T20")
def test_a_note_needs_no_code_and_reaches_the_driver(shopper: Shopper, delivery: Delivery) -> None:
    shopper.follow("/instructions$").send(note="The bell is broken, please knock.")
    assert shopper.status == 200
    assert "Saved for the driver" in shopper.text
    assert Instruction.objects.get(delivery=delivery).note == "The bell is broken, please knock."


@pytest.mark.covers("I1", "T2")
def test_a_safe_place_is_closed_until_the_reader_is_verified(shopper: Shopper, delivery: Delivery) -> None:
    shopper.follow("/instructions$")
    assert "Get a code" in shopper.text
    shopper.send(safe_place="porch")
    assert "First, a check that it is you" in shopper.text
    assert not Instruction.objects.filter(delivery=delivery).exists()
    confirm(shopper, "instructions").send(safe_place="porch", note="Behind the bench.")
    assert "Saved for the driver" in shopper.text
    assert Instruction.objects.get(delivery=delivery).safe_place == "porch"


@pytest.mark.covers("I2")
def test_a_door_code_goes_to_its_own_field_and_is_never_shown_again(shopper: Shopper, delivery: Delivery) -> None:
    confirm(shopper, "instructions").send(access_code="4711#", note="Second floor")
    assert AccessCode.objects.get(delivery=delivery).code == "4711#"
    shopper.open(shopper.page_address)
    assert "Door code saved" in shopper.text
    assert "4711" not in shopper.text


def test_a_note_that_is_too_long_is_kept_and_explained(shopper: Shopper, delivery: Delivery) -> None:
    shopper.follow("/instructions$").send(note="x" * 301)
    assert shopper.status == 422
    assert "x" * 301 in shopper.text
    assert not Instruction.objects.filter(delivery=delivery).exists()


def test_a_clash_loses_nothing_that_was_typed(shopper: Shopper, delivery: Delivery) -> None:
    shopper.follow("/instructions$")
    Delivery.objects.filter(pk=delivery.pk).update(revision=9)
    shopper.send(note="Please knock.")
    assert shopper.status == 409
    assert "Someone changed this a moment ago" in shopper.text
    assert "Please knock." in shopper.text
    shopper.send()
    assert "Saved for the driver" in shopper.text


def test_what_others_wrote_is_not_shown_to_the_bare_link(shopper: Shopper, delivery: Delivery) -> None:
    Instruction.objects.create(delivery=delivery, note="Key is with Bob", saved_at=world.MORNING)
    assert "Key is with Bob" not in shopper.follow("/instructions$").text
    assert "Key is with Bob" in confirm(shopper, "instructions").text


def test_a_view_only_link_has_no_forms(delivery: Delivery) -> None:
    shopper = Shopper(token_of(make_link(delivery=delivery, kind="view")))
    assert "only the recipient can change" in shopper.text
    for name in ("time", "instructions", "cancel", "verify"):
        assert shopper.open(f"{shopper.page_address}/{name}").status == 404
