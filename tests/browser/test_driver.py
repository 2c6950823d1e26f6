"""The driver's phone in a real browser: one thumb from the sign-in link to the last stop, with and without signal."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.deliveries.access import open_link
from apps.deliveries.models import AccessCode, Attempt, Delivery, Proof
from apps.deliveries.services import doorstep_code_of, make_link, start_attempt, token_of
from apps.drivers.models import PhoneEvent
from apps.events.models import Event
from apps.feedback.services import write_message
from apps.fleet.models import Driver
from apps.fleet.services import issue_driver_token, revoke_driver_token
from apps.instructions.services import save_instruction
from apps.routing.models import Visit
from tests import world
from tests.browser.test_look import AXE, RUN_AXE
from tests.drivers.phones import leave, visits

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STORED = """async () => {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes("doorstep-driver")) return "nothing";
  const asked = indexedDB.open("doorstep-driver");
  const db = await new Promise((ok) => { asked.onsuccess = () => ok(asked.result); });
  const all = (store) => new Promise((ok) => {
    const r = db.transaction(store).objectStore(store).getAll(); r.onsuccess = () => ok(r.result);
  });
  const text = JSON.stringify([await all("queue"), await all("kept")]);
  db.close();
  return text;
}"""


@pytest.fixture
def driver() -> Driver:
    world.shift("van-1")
    for number in range(5):
        made = world.delivery(("Alice", "Bob", "Charlie")[number % 3], offset=number * 0.0006)
        start_attempt(delivery_id=made.pk, place_id=made.place_id)
        world.put_in_plan(made)
    return Driver.objects.get(name="Driver of van-1")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", color_scheme="dark")
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext, live_server: Any, driver: Driver) -> Iterator[Page]:
    """The signed-in phone. What the content policy forbids or a script throws fails the test."""
    tab, wrong = context.new_page(), []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    tab.goto(f"{live_server.url}/driver/enter/{issue_driver_token(driver=driver)}")
    yield tab
    assert not wrong


def picture() -> dict[str, Any]:
    made = BytesIO()
    Image.new("RGB", (2400, 1800), "teal").save(made, "JPEG")
    return {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": made.getvalue()}


def at_stop(driver: Driver, index: int) -> tuple[Visit, Delivery]:
    visit = visits(driver)[index]
    return visit, visit.drops.get().delivery


def stores(page: Page, wanted: Callable[[str], bool]) -> None:
    """Waits until what the phone keeps is as wanted."""
    for _look in range(100):
        if wanted(page.evaluate(STORED)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.evaluate(STORED))


def is_kept(page: Page, what: str = '"departed":true') -> None:
    """The worker runs and the next stops are held."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    stores(page, lambda stored: what in stored)


@pytest.mark.covers("D1", "D2", "D5", "D6", "D7", "I3", "N26")
def test_a_stop_from_reading_to_signing_and_one_that_fails(page: Page, driver: Driver) -> None:
    first, alice = at_stop(driver, 0)
    Delivery.objects.filter(pk=alice.pk).update(proof_needed=["signature", "code", "photo"])
    page.reload()
    page.get_by_role("button", name="Leave the depot").click()
    expect(page.get_by_text("Next stop")).to_be_visible()
    alice.refresh_from_db()
    save_instruction(
        delivery=alice, safe_place="in_person", note="Bell is broken", revision=alice.revision, actor="x", verified=True
    )
    page.reload()
    expect(page.get_by_text("Bell is broken")).to_be_visible()
    page.get_by_role("button", name="I am here").click()
    expect(page.get_by_text("There is something new for this stop.")).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    expect(page.locator(".told--pinned")).to_have_count(0)
    page.get_by_role("button", name="I am here").click()
    expect(page.get_by_text("You are here")).to_be_visible()
    page.set_input_files("#finish input[name=photo]", picture())
    page.get_by_label("Who took it?").fill("Frau Frick")
    page.get_by_label("Code", exact=True).fill(doorstep_code_of(alice))
    sheet = page.locator("canvas")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + 20 * step, box["y"] + (20 if step % 2 else 90))
    page.mouse.up()
    page.get_by_role("button", name="Delivered").click()
    expect(page.get_by_text("1 of 5 done")).to_be_visible()
    assert sorted(alice.proofs.values_list("kind", flat=True)) == ["code", "photo", "signature"]
    with Image.open(alice.proofs.get(kind="photo").image) as kept:
        assert max(kept.size) == 1600
    second, bob = at_stop(driver, 1)
    page.get_by_role("button", name="I am here").click()
    page.get_by_text("It does not work out").click()
    page.get_by_label("Nobody answered the door").check()
    page.get_by_role("button", name="Not delivered").click()
    expect(page.get_by_text("Call or text them first.")).to_be_visible()
    page.get_by_label("Say why; the dispatcher reads it").fill("Street is flooded")
    page.get_by_role("button", name="Not delivered").click()
    expect(page.get_by_text("2 of 5 done")).to_be_visible()
    bob.refresh_from_db()
    assert bob.state == "failed"
    assert "Street is flooded" in Attempt.objects.get(delivery=bob).staff_note
    assert {first.pk, second.pk} == set(Visit.objects.exclude(left_at=None).values_list("pk", flat=True))


@pytest.mark.covers("T16")
def test_a_message_is_read_and_answered_in_a_dead_spot(page: Page, context: BrowserContext, driver: Driver) -> None:
    leave(driver)
    _first, alice = at_stop(driver, 0)
    opened = open_link(token_of(make_link(delivery=alice)))
    words = "Bell is <b>broken</b>"
    message = write_message(access=opened, text=words, to_driver=True, form_key="a")
    page.reload()
    is_kept(page, "broken")
    message.refresh_from_db()
    assert message.delivered_at is not None
    expect(page.get_by_text(words)).to_be_visible()
    context.set_offline(True)
    page.get_by_role("button", name="I am here").click()
    expect(page.get_by_text("You are here")).to_be_visible()
    expect(page.locator(".told--pinned")).to_have_count(1)
    page.get_by_role("button", name="I have read this").click()
    expect(page.locator(".told--pinned")).to_have_count(0)
    page.get_by_text("Answer with a sentence").click()
    page.get_by_role("button", name="I will wait two minutes").click()
    expect(page.get_by_text("Answer with a sentence")).to_have_count(0)
    stores(page, lambda stored: "two_minutes" in stored)
    message.refresh_from_db()
    assert message.read_at is None
    context.set_offline(False)
    expect(page.get_by_text("You answered: I will wait two minutes")).to_be_visible(timeout=20_000)
    message.refresh_from_db()
    assert message.read_at is not None
    assert alice.thread.filter(by="driver", sentence="two_minutes").count() == 1


@pytest.mark.covers("D8")
def test_two_stops_in_a_dead_spot_are_told_once_when_the_signal_is_back(
    page: Page, context: BrowserContext, driver: Driver
) -> None:
    leave(driver)
    page.reload()
    is_kept(page)
    first, alice = at_stop(driver, 0)
    second, _bob = at_stop(driver, 1)
    context.set_offline(True)
    page.get_by_role("button", name="I am here").click()
    expect(page.get_by_text("You are here")).to_be_visible()
    expect(page.get_by_text("No signal. Work on")).to_be_visible()
    page.set_input_files("#finish input[name=photo]", picture())
    page.get_by_label("Who took it?").fill("Frau Frick")
    page.get_by_role("button", name="Delivered").click()
    expect(page.locator(f'[data-stop="{second.pk}"]')).to_be_visible()
    page.reload()
    expect(page.locator(f'[data-stop="{second.pk}"]')).to_be_visible()
    page.get_by_role("button", name="I am here").click()
    page.get_by_label("Who took it?").fill("Bob")
    page.get_by_role("button", name="Delivered").click()
    expect(page.get_by_text("Waiting: 4")).to_be_visible()
    assert not PhoneEvent.objects.exists()
    context.set_offline(False)
    expect(page.get_by_text("2 of 5 done")).to_be_visible(timeout=20_000)
    kinds = list(PhoneEvent.objects.order_by("at").values_list("kind", flat=True))
    assert kinds == ["arrive", "complete", "arrive", "complete"]
    assert all(answer["ok"] for answer in PhoneEvent.objects.values_list("answer", flat=True))
    assert [visit.state for visit in visits(driver)[:2]] == ["done", "done"]
    assert Proof.objects.filter(kind="photo", delivery=alice).count() == 1
    delivered = Event.objects.filter(kind="delivery.state_changed", payload__to="delivered")
    assert delivered.count() == 2
    page.reload()
    expect(page.get_by_text("2 of 5 done")).to_be_visible()
    assert PhoneEvent.objects.count() == 4
    assert "[]," in page.evaluate(STORED), "nothing waits any more"
    assert first.pk != second.pk


@pytest.mark.covers("D8")
def test_a_proof_the_server_refuses_later_keeps_its_photo_until_it_is_corrected(
    page: Page, context: BrowserContext, driver: Driver
) -> None:
    visit, alice = at_stop(driver, 0)
    Delivery.objects.filter(pk=alice.pk).update(proof_needed=["code"])
    leave(driver)
    page.reload()
    is_kept(page)
    context.set_offline(True)
    page.get_by_role("button", name="I am here").click()
    page.set_input_files("#finish input[name=photo]", picture())
    code = doorstep_code_of(alice)
    page.get_by_label("Code", exact=True).fill("111111" if code != "111111" else "222222")
    page.get_by_label("Who took it?").fill("Frau Frick")
    page.get_by_role("button", name="Delivered").click()
    expect(page.get_by_text("Waiting: 2")).to_be_visible()
    context.set_offline(False)
    needed = page.locator("[data-needed]")
    expect(needed.get_by_text("That is not the code")).to_be_visible(timeout=20_000)
    expect(needed.get_by_text("Photos kept: 1")).to_be_visible()
    expect(page.locator(f'[data-stop="{visit.pk}"]')).to_be_visible()
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_label("Who took it?").fill("Frau Frick")
    page.get_by_role("button", name="Delivered").click()
    expect(page.get_by_text("1 of 5 done")).to_be_visible(timeout=20_000)
    expect(needed).to_be_hidden()
    assert Proof.objects.filter(kind="photo", delivery=alice).count() == 1


@pytest.mark.covers("D8", "I2")
def test_a_phone_holds_three_stops_one_code_and_after_revocation_nothing(page: Page, driver: Driver) -> None:
    stops = [at_stop(driver, index)[1] for index in range(5)]
    for number, delivery in enumerate(stops):
        AccessCode.objects.create(delivery=delivery, code=f"77{number}*11", saved_at=delivery.created_at)
    leave(driver)
    page.reload()
    is_kept(page)
    held = page.evaluate(STORED)
    assert "770*11" in held
    assert "771*11" not in held
    for delivery, is_held in zip(stops, (True, True, True, False, False), strict=True):
        assert (delivery.recipient.phone in held) is is_held
    looked = Event.objects.filter(kind="instructions.code_revealed").values_list("delivery_id", flat=True)
    assert set(looked) == {stops[0].pk}
    revoke_driver_token(driver=driver)
    page.reload()
    expect(page.get_by_text("This phone is not signed in")).to_be_visible()
    stores(page, lambda stored: stored == "nothing")
    assert page.evaluate("async () => (await caches.keys()).length") == 0


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_sticks_out_and_everything_is_big_enough(
    browser: Browser, live_server: Any, driver: Driver, width: int
) -> None:
    Delivery.objects.update(
        proof_needed=["signature", "code", "photo", "scan"], minimum_age=18, cash_due=4950, cash_currency="CHF"
    )
    leave(driver)
    context = browser.new_context(viewport={"width": width, "height": 640}, color_scheme="dark")
    tab = context.new_page()
    tab.goto(f"{live_server.url}/driver/enter/{issue_driver_token(driver=driver)}")
    for button in ("I am here", None):
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        small = tab.evaluate(
            "[...document.querySelectorAll('button, a.wide, summary, select, input:not([type=hidden]):not(.unseen)')]"
            ".filter((one) => one.checkVisibility() && !one.closest('.choice'))"
            ".filter((one) => one.getBoundingClientRect().height < 55)"
            ".map((one) => one.outerHTML)"
        )
        assert small == []
        tab.evaluate(AXE)
        assert tab.evaluate(RUN_AXE)["violations"] == []
        if button:
            tab.get_by_role("button", name=button).click()
            expect(tab.get_by_text("You are here")).to_be_visible()
    context.close()
