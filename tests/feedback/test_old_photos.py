"""Pictures of people's doors are kept for some days only; that something was handed over or reported stays known."""

import pytest
from django.core.files.base import ContentFile

from apps.deliveries.models import Proof
from apps.deliveries.states import State
from apps.events import nights
from apps.feedback.models import ProblemPhoto, ProblemReport
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
