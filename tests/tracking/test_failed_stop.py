"""After a stop that failed: why, when, the photo for verified eyes, and times that really fit, on the same page."""

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from apps.core import clock
from apps.core.sealed_ids import sealed_id
from apps.core.time_windows import TimeWindow
from apps.deliveries.models import Attempt, Delivery, Proof
from apps.deliveries.services import make_link, token_of
from apps.deliveries.states import State
from apps.merchants.models import Policy
from apps.routing import services as routing
from apps.routing.selectors import remaining_visits
from apps.tracking.page_html import shelf
from apps.tracking.views.page_context import signed_picture
from tests import world
from tests.tracking.shopper import Shopper
from tests.tracking.test_page import verified

pytestmark = pytest.mark.django_db
JPEG = b"\xff\xd8\xff\xe0 a door"


@pytest.fixture(autouse=True)
def fresh() -> None:
    from django.core.cache import cache

    cache.clear()
    shelf.clear()


@pytest.fixture
def failed(drain: Any) -> Delivery:
    """Alice was not at home; the vans drive tomorrow, too."""
    (alice,) = world.planned_day(("Alice",), vans=1)
    world.shift("van-1", day=world.TODAY.replace(day=11))
    Attempt.objects.create(delivery=alice, number=1, place=alice.place, started_at=world.MORNING)
    routing.load(barcode=alice.parcels.get().barcode, vehicle="van-1", actor="clerk:1")
    visit = alice.drops.get().visit
    routing.depart(route=visit.route, actor="driver:1")
    routing.arrive(visit=visit, actor="driver:1")
    routing.fail(visit=visit, reason="consignee_not_home", actor="driver:1")
    Attempt.objects.filter(delivery=alice, outcome=State.FAILED).update(recipient_note="Rang twice.")
    photo = Proof.objects.create(delivery=alice, kind=Proof.Kind.FAILURE, taken_at=clock.now())
    photo.image.save("door.jpg", ContentFile(JPEG))
    drain()
    alice.refresh_from_db()
    assert alice.state == State.FAILED
    return alice


@pytest.mark.covers("T10", "G10")
def test_times_that_fit_are_on_the_page_and_lead_to_a_new_try(failed: Delivery) -> None:
    shopper = Shopper(token_of(make_link(delivery=failed)))
    assert "We could not deliver today," in shopper.text
    assert "Nobody answered the door." in shopper.text
    offered = [link for link in shopper.links if "/time?window=" in link]
    assert 1 <= len(offered) <= 4
    shopper.open(offered[-1]).send()
    assert "It is in the van's plan." in shopper.text
    failed.refresh_from_db()
    assert failed.state == State.PLANNED
    assert failed.window == _window_of(offered[-1])
    assert [attempt.outcome for attempt in failed.attempts.order_by("number")] == [State.FAILED, ""]
    visit = failed.drops.get(is_open=True).visit
    assert visit in remaining_visits(visit.route_id)


@pytest.mark.covers("T10")
def test_reading_the_page_again_does_not_ask_the_planner_again(
    failed: Delivery, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.tracking.views import page_context

    asked, offer_windows = [], page_context.offer_windows
    monkeypatch.setattr(page_context, "offer_windows", lambda **said: asked.append(1) or offer_windows(**said))
    address = f"/t/{token_of(make_link(delivery=failed))}"
    for tail in ("/live", "/live", ""):
        assert "window=" in client.get(address + tail).content.decode()
    assert len(asked) == 1
    Delivery.objects.update(page_version=failed.page_version + 1)
    client.get(f"{address}/live")
    assert len(asked) == 2, "what is new is asked about anew"


def _window_of(link: str) -> TimeWindow:
    from apps.tracking.offer_words import window_from

    found = window_from(link.partition("window=")[2])
    assert found
    return found


@pytest.mark.covers("T10", "T2")
def test_the_photo_and_the_drivers_words_are_for_verified_eyes(failed: Delivery, client: Client) -> None:
    token = token_of(make_link(delivery=failed))
    page = client.get(f"/t/{token}/state").json()
    assert page["failure"]["has_photo"]
    assert page["failure"]["photo"] is None
    assert page["failure"]["reason"] == "consignee_not_home"
    assert page["failure"]["at"]
    assert "Rang twice." not in client.get(f"/t/{token}").content.decode()
    verified(client, token)
    html = client.get(f"/t/{token}").content.decode()
    assert "Rang twice." in html
    address = html.partition("/proof/")[2].partition('"')[0]
    answer = client.get(f"/t/{token}/proof/{address}")
    assert answer.content == JPEG
    assert answer["Content-Disposition"].startswith("attachment"), "opened by itself it is a file, never a page"
    Policy.objects.update(show_photo=False)
    Delivery.objects.update(page_version=failed.page_version + 5)
    assert client.get(f"/t/{token}/proof/{address}").status_code == 404
    assert not client.get(f"/t/{token}/state").json()["failure"]["has_photo"]


@pytest.mark.covers("T10")
def test_whoever_may_only_look_is_offered_nothing(failed: Delivery, client: Client) -> None:
    html = client.get(f"/t/{token_of(make_link(delivery=failed, kind='view'))}").content.decode()
    assert "Nobody answered the door." in html
    assert "window=" not in html
    Policy.objects.update(allow_time_change=False)
    Delivery.objects.update(page_version=failed.page_version + 1)
    assert "window=" not in client.get(f"/t/{token_of(make_link(delivery=failed))}").content.decode()


def delivered() -> tuple[Delivery, dict[str, Proof], str]:
    made = world.delivery(state=State.DELIVERED)
    kinds = {"photo": {"left_at": "porch"}, "signature": {"received_by": "Elena Marxer"}}
    proofs = {}
    for kind, more in kinds.items():
        proofs[kind] = Proof.objects.create(delivery=made, kind=kind, taken_at=world.MORNING, **more)
        proofs[kind].image.save(f"{kind}.jpg", ContentFile(JPEG))
    return made, proofs, token_of(make_link(delivery=made))


@pytest.mark.covers("T12")
def test_addresses_of_pictures_are_signed_for_one_link_and_expire(client: Client, monkeypatch: Any) -> None:
    from apps.deliveries import access as gate

    _made, proofs, token = delivered()
    _other, _more, other_token = delivered()
    verified(client, token)
    html = client.get(f"/t/{token}").content.decode()
    signed = html.partition("/proof/")[2].partition('"')[0]
    assert client.get(f"/t/{token}/proof/{signed}").status_code == 200
    assert Client().get(f"/t/{token}/proof/{signed}").status_code == 404
    assert client.get(f"/t/{token}/proof/{signed[:-1]}x").status_code == 404
    assert client.get(f"/t/{token}/proof/{proofs['photo'].pk}").status_code == 404
    verified(client, other_token)
    assert client.get(f"/t/{other_token}/proof/{signed}").status_code == 404
    foreign = signed_picture(gate.open_link(other_token), sealed_id("proof", proofs["photo"].pk))
    assert client.get(f"/t/{other_token}/proof/{foreign}").status_code == 404
    import time

    real = time.time
    monkeypatch.setattr("django.core.signing.time.time", lambda: real() - 31 * 60)
    old = signed_picture(gate.open_link(token), sealed_id("proof", proofs["photo"].pk))
    monkeypatch.setattr("django.core.signing.time.time", real)
    assert client.get(f"/t/{token}/proof/{old}").status_code == 404


@pytest.mark.covers("T12")
@pytest.mark.parametrize(
    ("switch", "gone"),
    [
        ("show_photo", "Photo of the parcel"),
        ("show_signature", "Signature of whoever"),
        ("show_receiver", "Elena Marxer"),
        ("show_left_at", "Left on the porch"),
    ],
)
def test_each_part_of_the_proof_has_a_switch(client: Client, switch: str, gone: str) -> None:
    made, _proofs, token = delivered()
    if switch == "show_left_at":
        Proof.objects.filter(kind="signature").update(received_by="")
    verified(client, token)
    html = client.get(f"/t/{token}").content.decode()
    assert gone in html
    signed = html.partition("/proof/")[2].partition('"')[0]
    Policy.objects.update(**{switch: False})
    Delivery.objects.update(page_version=made.page_version + 1)
    assert gone not in client.get(f"/t/{token}").content.decode()
    page = client.get(f"/t/{token}/state").json()
    assert page["proof"]["at"]
    if switch == "show_photo":
        # An address from before opens nothing either.
        assert client.get(f"/t/{token}/proof/{signed}").status_code == 404
        assert page["proof"]["photo"] is None
