"""Changes how a person is reached."""

from django.db import transaction
from django.db.models import F

from apps.core import clock
from apps.deliveries import events
from apps.deliveries.inputs import ContactInput
from apps.deliveries.models import Contact, Delivery, StepUp
from apps.deliveries.services.change_delivery import why_not
from apps.events.services import emit


def change_contact(*, delivery: Delivery, contact: ContactInput, revision: int, actor: str) -> Delivery:
    """The delivery with a new recipient on file; verifications made through the old contact end at once.

    Stale when `revision` has moved on. The caller decides who may (shopper: verified only).
    """
    person = contact.as_row()
    with transaction.atomic():
        person.save()
        written = Delivery.objects.filter(pk=delivery.pk, revision=revision, ended_at=None).update(
            recipient=person, revision=F("revision") + 1, page_version=F("page_version") + 1
        )
        if not written:
            raise why_not(delivery.pk, revision)
        StepUp.objects.filter(link__delivery=delivery, used_up_at=None).update(used_up_at=clock.wall())
        emit(events.CONTACT_CHANGED, delivery_id=delivery.pk, actor=actor)
    delivery.refresh_from_db()
    return delivery


def refuse_phone(*, contact_id: int) -> bool:
    """Notes that the network says this number is dead; False when that was known."""
    return bool(Contact.objects.filter(pk=contact_id, phone_refused_at=None).update(phone_refused_at=clock.now()))
