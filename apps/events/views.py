"""For load balancers and alarms; says nothing about anybody's delivery."""

from django.http import HttpRequest, JsonResponse

from apps.events.selectors import health


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while work is being done, 503 when what is due has been waiting for a minute."""
    state = health()
    response = JsonResponse(state.as_dict(), status=200 if state.is_healthy else 503)
    response["Cache-Control"] = "no-store"
    return response
