"""Why the plan says no, in sentences for the person who asked."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Refused
from apps.deliveries.inputs import PlaceInput
from apps.deliveries.models import Place
from apps.routing.planner.solution import Reason

WHY: dict[Reason, str | Promise] = {
    Reason.NO_VEHICLE: _("None of our vans can bring it on that day."),
    Reason.CLOSED: _("The place is closed at that time."),
    Reason.SKILLS: _("None of the vans on that day is equipped for it."),
    Reason.ZONE: _("None of the vans on that day drives to that place."),
    Reason.DEPOT: _("The goods lie where none of these vans calls."),
    Reason.LEFT_DEPOT: _("The vans that could bring it have already left."),
    Reason.MAX_STOPS: _("The vans have as many stops as they may on that day."),
    Reason.CAPACITY: _("The vans are full on that day."),
    Reason.UNREACHABLE: _("No road we drive on leads to that place."),
    Reason.RANGE: _("The place is too far away for the vans of that day."),
    Reason.COLLECTION: _("No van can collect it from the shop in time for that."),
    Reason.WINDOW: _("No van can be there at that time."),
    Reason.OTHERS: _("No van has room for it at that time."),
    Reason.NOT_PLANNED: _("No van can be there at that time."),
}
PLAN_REASONS = frozenset(reason.value for reason in WHY)
BACK_AT_DEPOT_LATER = _("Your parcel is on its way back to the depot. Please choose another day.")
TOO_LATE = _("The driver is already on the way to you, so this can no longer be changed.")
OFF_THE_MAP = _("No road we drive on comes near that place.")
OFF_THE_MAP_BY_NAME = _("No road we drive on comes near %(place)s.")
AFTER_CUTOFF = _("Orders for today closed at %(time)s. Please choose another day.")
TODAY_CLOSED = _("Orders for today have closed. Please choose another day.")
BUSY = _("Many people are changing deliveries right now. Please try again.")


def refusal(code: str) -> Refused:
    """The error for a change that the plan cannot hold; its code is the planner's, or one of the sentences above."""
    known = {
        "on_the_way_back": BACK_AT_DEPOT_LATER,
        "too_late": TOO_LATE,
        "off_the_map": OFF_THE_MAP,
        "after_cutoff": TODAY_CLOSED,
    }
    return Refused(code, str(known[code] if code in known else WHY[Reason(code)]))


def name_place(refused: Refused, place: PlaceInput | Place) -> Refused:
    """The same refusal, naming the place where it is at fault; only for who gave the address or may read it."""
    if refused.code != "off_the_map":
        return refused
    street, town = f"{place.street} {place.house_number}".strip(), f"{place.postcode} {place.town}".strip()
    message = OFF_THE_MAP_BY_NAME % {"place": ", ".join(part for part in (street, town) if part)}
    return Refused(refused.code, message, refused.alternatives, **refused.details)
