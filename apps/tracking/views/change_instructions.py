"""What the driver should know: a safe place, a note, a door code in a field of its own."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from apps.core.errors import DoorstepError
from apps.deliveries.access import Access
from apps.instructions.models import Instruction
from apps.instructions.selectors import instruction_of
from apps.instructions.services import save_instruction
from apps.tracking.forms import InstructionForm
from apps.tracking.instruction_words import safe_places
from apps.tracking.views.change_flow import FOR_THE_GATE, error_context, flow_page, flow_view, goes_to, revision_from


@flow_view
def instructions(request: HttpRequest, access: Access) -> HttpResponse:
    """GET shows what is on file, POST saves it; a verified reader may choose a safe place and leave a code."""
    if request.method == "POST":
        return _save(request, access)
    if "done" in request.GET:
        return _done(request, access)
    standing = instruction_of(access.delivery.pk)
    place = standing.safe_place if standing else Instruction.SafePlace.IN_PERSON
    # What somebody wrote for the driver is for verified eyes only.
    note = standing.note if standing and access.is_verified else ""
    return _form(request, access, InstructionForm(initial={"note": note}), place)


def _save(request: HttpRequest, access: Access) -> HttpResponse:
    form = InstructionForm(request.POST)
    standing = instruction_of(access.delivery.pk)
    place = request.POST.get("safe_place") or (standing.safe_place if standing else Instruction.SafePlace.IN_PERSON)
    if not form.is_valid():
        return _form(request, access, form, place, status=422)
    try:
        save_instruction(
            delivery=access.delivery,
            safe_place=place,
            note=form.cleaned_data["note"],
            access_code=form.cleaned_data["access_code"],
            revision=revision_from(request),
            actor="shopper",
            verified=access.is_verified,
        )
    except FOR_THE_GATE:
        raise
    except DoorstepError as error:
        access.delivery.refresh_from_db()
        return _form(request, access, form, place, status=error.status, error=error)
    return goes_to(access, "instructions", "done=1")


def _form(
    request: HttpRequest,
    access: Access,
    form: InstructionForm,
    place: str,
    status: int = 200,
    error: DoorstepError | None = None,
) -> HttpResponse:
    policy = access.delivery.merchant.policy
    return flow_page(
        request,
        access,
        "instructions",
        status=status,
        form=form,
        is_verified=access.is_verified,
        safe_places=safe_places(place, is_verified=access.is_verified, is_allowed=policy.allow_safe_place),
        **(error_context(error) if error else {}),
    )


def _done(request: HttpRequest, access: Access) -> HttpResponse:
    return flow_page(
        request,
        access,
        "result",
        heading=_("Saved for the driver"),
        sentence=_("It shows at the top of your stop, and we tell you once the driver has read it."),
    )
