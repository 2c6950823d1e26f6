"""A merchant's own lines on its pages: in their time and segment, never beside bad news, asking nobody else."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.core.sealed_ids import sealed_id
from apps.deliveries.models import Delivery
from apps.deliveries.services import make_link, token_of
from apps.deliveries.states import State
from apps.events.models import Reaction
from apps.feedback.models import ProblemReport
from apps.merchants.models import Membership
from apps.tracking.models import ContentBlock
from apps.tracking.services import refresh
from tests import world
from tests.conftest import FrozenClock

pytestmark = pytest.mark.django_db
TITLE = "Cheese of the month"


@pytest.fixture(autouse=True)
def fresh_throttles() -> None:
    cache.clear()


def block(**changes: object) -> ContentBlock:
    return ContentBlock.objects.create(**{"merchant": world.merchant(), "title": TITLE, **changes})


def page_of(delivery: Delivery) -> str:
    refresh([delivery.pk])
    return Client().get(f"/t/{token_of(make_link(delivery=delivery))}").content.decode()


@pytest.mark.covers("T24")
@pytest.mark.parametrize("state", list(State))
def test_no_advert_beside_bad_news(state: State) -> None:
    block()
    bad = {State.FAILED, State.RETURNING, State.RETURNED, State.CANCELLED}
    assert (TITLE in page_of(world.delivery(state=state))) == (state not in bad)


@pytest.mark.covers("T24", "T27")
def test_none_while_somebody_waits_for_an_answer() -> None:
    block()
    made = world.delivery(state=State.DELIVERED)
    case = ProblemReport.objects.create(
        delivery=made, kind="damaged", form_key="x", reported_at=world.MORNING, state=ProblemReport.State.TAKEN
    )
    assert TITLE not in page_of(made)
    ProblemReport.objects.filter(pk=case.pk).update(state=ProblemReport.State.CLOSED)
    Delivery.objects.filter(pk=made.pk).update(page_version=made.page_version + 5)
    assert TITLE in page_of(made)


@pytest.mark.covers("T24")
def test_segment_time_language_and_merchant_decide() -> None:
    block(segment=[State.DELIVERED])
    made = world.delivery(state=State.OUT)
    assert TITLE not in page_of(made)
    assert TITLE in page_of(world.delivery("Bob", state=State.DELIVERED))
    other = world.merchant("rheinbuch", "Rheinbuch")
    assert TITLE not in page_of(world.delivery("Charlie", sender=other, state=State.DELIVERED))
    ContentBlock.objects.update(segment=[], language="fr")
    assert TITLE not in page_of(made)
    ContentBlock.objects.update(language="", is_active=False)
    assert TITLE not in page_of(made)


@pytest.mark.covers("T24")
def test_it_comes_and_goes_by_itself(now: FrozenClock, drain: Callable[..., int]) -> None:
    made = world.delivery(state=State.OUT)
    begins, ends = now.at("10:00"), now.at("12:00")
    block(shows_from=begins, shows_until=ends)
    address = f"/t/{token_of(make_link(delivery=made))}/state"
    refresh([made.pk])
    assert Client().get(address).json()["blocks"] == []
    for instant, shown in ((begins, True), (ends, False)):
        now.set(instant + timedelta(seconds=2))
        Reaction.objects.filter(handler="apps.tracking.handlers.on_time_passed").update(due_at=now.instant)
        drain()
        assert bool(Client().get(address).json()["blocks"]) is shown


@pytest.mark.covers("T24")
def test_the_page_asks_nobody_else_and_links_leave_cleanly(settings: object) -> None:
    picture = BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 12"
    Image.new("RGB", (3000, 1500), "gold").save(picture, "JPEG", exif=exif)
    owner = get_user_model().objects.create_user("owner", is_staff=True)
    Membership.objects.create(user=owner, merchant=world.merchant(), role=Membership.Role.OWNER)
    client = Client()
    client.force_login(owner)
    typed = {"merchant": world.merchant().pk, "title": TITLE, "link": "https://shop.example/cheese", "position": "0"}
    typed |= {"is_active": "on", "image": SimpleUploadedFile("x.jpg", picture.getvalue())}
    answer = client.post("/admin/tracking/contentblock/add/", typed)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    made = ContentBlock.objects.get()
    kept = made.image.read()
    assert b"Secret" not in kept
    assert max(Image.open(BytesIO(kept)).size) <= 1040
    page = page_of(world.delivery(state=State.OUT))
    sources = re.findall(r'<(?:img|script|link)[^>]* (?:src|href)="([^"]+)"', page)
    assert f"/brand/alpenkorb/block-{sealed_id('block', made.pk)}.jpg" in " ".join(sources)
    assert not [source for source in sources if "//" in source]
    anchor = re.search(r"<a [^>]*shop\.example[^>]*>", page)
    assert anchor is not None
    assert 'rel="noopener noreferrer nofollow"' in anchor[0]
    assert Client().get(f"/brand/alpenkorb/block-{sealed_id('block', made.pk)}.jpg")["Content-Type"] == "image/jpeg"
    assert Client().get(f"/brand/rheinbuch/block-{sealed_id('block', made.pk)}.jpg").status_code == 404


@pytest.mark.covers("T24")
@pytest.mark.parametrize("link", ["http://shop.example", "javascript:alert(1)", "data:text/html,x"])
def test_only_https_leads_away(link: str) -> None:
    with pytest.raises(ValidationError):
        ContentBlock(merchant=world.merchant(), title=TITLE, link=link).full_clean()


@pytest.mark.covers("T24")
def test_an_agent_and_another_merchants_owner_may_not_write_one() -> None:
    made = block()
    for name, merchant, role in (
        ("agent", world.merchant(), Membership.Role.AGENT),
        ("stranger", world.merchant("rheinbuch", "Rheinbuch"), Membership.Role.OWNER),
    ):
        person = get_user_model().objects.create_user(name, is_staff=True)
        Membership.objects.create(user=person, merchant=merchant, role=role)
        client = Client()
        client.force_login(person)
        client.post(f"/admin/tracking/contentblock/{made.pk}/change/", {"title": "Hacked", "position": "0"})
        client.post(f"/admin/tracking/contentblock/{made.pk}/delete/", {"post": "yes"})
        made.refresh_from_db()
        assert made.title == TITLE
