"""No number of a row is to be read anywhere: it would say how many deliveries, proofs and links there are."""

import base64
import re

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.test import Client

from apps.core.encryption import sha256_hex
from apps.core.sealed_ids import opened_id, sealed_id
from apps.deliveries.models import Delivery, Link, Proof, StepUp
from apps.deliveries.services import token_of
from apps.deliveries.states import State
from apps.tracking.models import ContentBlock
from apps.tracking.page_html import shelf
from tests import world
from tests.tracking.test_page import verified

pytestmark = pytest.mark.django_db
FIRST = 7654321
"""So that the number of a row can be told from a time or a size."""


@pytest.mark.covers("T1")
def test_pages_addresses_and_cookies_show_no_row_number(client: Client) -> None:
    cache.clear()
    shelf.clear()
    made = world.delivery(state=State.DELIVERED)
    link = Link.objects.create(pk=FIRST, delivery=made, created_at=world.MORNING)
    Link.objects.filter(pk=FIRST).update(token_sha256=sha256_hex(token_of(link)))
    proof = Proof.objects.create(pk=FIRST, delivery=made, kind="photo", taken_at=world.MORNING)
    proof.image.save("photo.jpg", ContentFile(b"x"))
    ContentBlock.objects.create(pk=FIRST, merchant=made.merchant, title="Cheese", image="blocks/x.jpg")
    Delivery.objects.update(page_version=made.page_version + 1)
    token, long_ago = token_of(link), world.MORNING.replace(year=2020)
    # The numbers of the requests for codes go on from here.
    StepUp.objects.create(pk=FIRST, link=link, channel="sms", requested_at=long_ago, expires_at=long_ago)
    verified(client, token)
    answers = [client.get(f"/t/{token}"), client.get(f"/t/{token}/state")]
    share = Link(pk=FIRST + 1, delivery=made, kind="view", shared_from=link, label="Grandma", created_at=world.MORNING)
    share.save(force_insert=True)
    answers.append(client.get(f"/t/{token}/share"))
    seen = [answer.content.decode() for answer in answers]
    seen += [client.post(f"/t/{token}/share", {"label": "Aunt"})["Location"]]
    seen += [morsel.value for morsel in client.cookies.values()]
    assert "block-" in seen[0]
    assert "/proof/" in seen[0]
    assert "made=" in seen[3]
    assert not [text for text in seen if "76543" in _unwrapped(text)]


def _unwrapped(text: str) -> str:
    """With everything that looks like base64 also read as what it may hold."""
    words = re.findall(r"[A-Za-z0-9_-]{8,}", text)
    return " ".join([text, *(base64.urlsafe_b64decode(word[: len(word) // 4 * 4]).decode("latin-1") for word in words)])


def test_a_sealed_number_opens_in_its_own_scope_only() -> None:
    sealed = sealed_id("proof", 7)
    assert sealed == sealed_id("proof", 7) != sealed_id("proof", 8)
    assert opened_id("proof", sealed) == 7
    assert opened_id("share", sealed) is None
    wrong = ("7", 7, None, sealed[:-1] + "\u00e9", "A" * 22, "=" * 22)
    assert {opened_id("proof", one) for one in wrong} == {None}
