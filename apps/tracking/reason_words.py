"""Why a parcel was not handed over, and why a change is closed: codes to sentences, without blame."""

from django.utils.translation import gettext as _

from apps.deliveries.words import reason_words
from apps.tracking.day_words import capitalised


def failure_sentence(code: str | None) -> str:
    """What happened at the door, or "" when no reason was given."""
    return capitalised(reason_words(code)) + "." if code else ""


def closed_reason(reason: str | None) -> str:
    """Why an action cannot be taken now."""
    return {
        "policy": _("The sender does not offer this."),
        "cutoff": _("It is too close to the delivery."),
        "too_late": _("It is too close to the delivery."),
        "frozen": _("The driver is nearly there."),
        "next_stop": _("The driver is nearly there."),
        "limit": _("It has been changed as often as the sender allows."),
        "ended": _("This delivery has ended."),
        "view_only": _("Only the recipient can change this."),
        "on_the_way": _("The parcel is already on the van."),
        "loaded": _("The parcel is already on the van."),
        "at_point": _("The parcel is already at the pick-up point."),
        "to_point": _("It goes to a pick-up point, where the driver needs no help."),
        "returning": _("The parcel is on its way back."),
        "no_contact": _("There is no phone or e-mail on file to confirm it with."),
    }.get(reason or "", _("This is not possible right now."))
