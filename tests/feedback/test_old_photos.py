"""Pictures of people's doors are kept for some days only; that something was handed over or reported stays known."""

import pytest
from django.core.files.base import ContentFile

from apps.deliveries.models import Attempt, Delivery, Proof
from apps.deliveries.states import State
from apps.events import nights
from apps.feedback.models import Dispute, ProblemPhoto, ProblemReport, Rating
from apps.merchants.models import Policy
from tests import world

pytestmark = [pytest.mark.django_db, pytest.mark.covers("T12", "T27", "GS31")]


def test_the_night_forgets_pictures_when_the_merchants_days_are_over(now, drain) -> None:  # type: ignore[no-untyped-def]
    made = world.delivery(state=State.DELIVERED)
    Policy.objects.update(photo_days=30)
    proof = Proof.objects.create(delivery=made, kind="photo", taken_at=world.MORNING)
    proof.image.save("door.jpg", ContentFile(b"door"))
    photos = {}
    for state in (ProblemReport.State.CLOSED, ProblemReport.State.TAKEN):
        closed_at = world.MORNING if state == ProblemReport.State.CLOSED else None
        case = {"delivery": made, "form_key": state, "state": state, "closed_at": closed_at}
        report = ProblemReport.objects.create(kind="damaged", reported_at=world.MORNING, **case)
        photos[state] = ProblemPhoto.objects.create(report=report, image=ContentFile(b"jar", name="jar.jpg"))
    kept, gone = photos[ProblemReport.State.TAKEN].image, [proof.image, photos[ProblemReport.State.CLOSED].image]
    names = [(image.storage, image.name) for image in gone]
    now.advance(days=29)
    nights.begin()
    drain()
    assert all(storage.exists(name) for storage, name in names)
    now.advance(days=2)
    nights.begin()
    drain()
    assert not any(storage.exists(name) for storage, name in names)
    assert kept.storage.exists(kept.name), "somebody is still looking into it"
    assert Proof.objects.get().taken_at == world.MORNING
    assert ProblemReport.objects.count() == 2


def test_the_night_forgets_what_people_wrote_and_keeps_what_it_counted_as(now, drain) -> None:  # type: ignore[no-untyped-def]
    made, other = world.delivery(state=State.DELIVERED), world.delivery(state=State.FAILED)
    Policy.objects.update(words_days=200, photo_days=999)
    ago = world.MORNING
    Rating.objects.create(delivery=made, stars=2, comment="SECRET", author_sha256="x", rated_at=ago, changed_at=ago)
    Proof.objects.create(
        delivery=made, kind="signature", received_by="SECRET", taken_at=ago, latitude=47.1, longitude=9.5
    )
    Proof.objects.create(delivery=made, kind="code", taken_at=ago, details={"reason": "SECRET", "metres": 7})
    for number, state in enumerate(("upheld", "open"), start=1):
        row = {"delivery": other, "number": number, "place": other.place, "started_at": ago, "ended_at": ago}
        attempt = Attempt.objects.create(outcome=State.FAILED, staff_note="SECRET", recipient_note="SECRET", **row)
        decided = {"decided_at": ago, "answer": "SECRET", "reason": "SECRET"} if state == "upheld" else {}
        Dispute.objects.create(attempt=attempt, delivery=other, text="SECRET", state=state, raised_at=ago, **decided)
    case = {"delivery": made, "form_key": "k", "state": ProblemReport.State.CLOSED, "closed_at": ago}
    ProblemReport.objects.create(kind="damaged", reported_at=ago, text="SECRET", **case)
    seen = [Rating, Proof, Attempt, Dispute, ProblemReport]
    now.advance(days=199)
    nights.begin()
    drain()
    assert str([list(model.objects.values()) for model in seen]).count("SECRET") == 12
    before = Delivery.objects.get(pk=made.pk).page_version
    now.advance(days=2)
    nights.begin()
    drain()
    left = str([list(model.objects.values()) for model in seen])
    assert left.count("SECRET") == 1, "only what is still being checked"
    assert Dispute.objects.get(state="open").text == "SECRET"
    assert (Rating.objects.get().stars, Proof.objects.get(kind="signature").latitude) == (2, None)
    assert Proof.objects.get(kind="code").details == {"metres": 7}
    assert Delivery.objects.get(pk=made.pk).page_version > before
