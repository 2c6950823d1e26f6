"""The demo phone's page: all messages, or one person's; newest first."""

from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.demo.models import PhoneMessage

SHOWN = 60
OWNERS = 12


@require_safe
@never_cache
def phone(request: HttpRequest) -> HttpResponse:
    """`?to=` shows one number or address, `?q=` finds one. Context: messages, owners, selected, query, newest."""
    selected, query = request.GET.get("to", "")[:254], request.GET.get("q", "")[:100].strip()
    found = _found(selected, query)
    owners = PhoneMessage.objects.values("to").annotate(count=Count("pk"), last=Max("pk")).order_by("-last")[:OWNERS]
    messages = list(found[:SHOWN])
    context = {
        "messages": messages,
        "owners": list(owners),
        "selected": selected,
        "query": query,
        "newest": messages[0].pk if messages else 0,
    }
    return render(request, "demo/phone.html", context)


@require_safe
@never_cache
def newest(request: HttpRequest) -> JsonResponse:
    """What the page asks every second or two: {"newest": id, "messages": [those after ?after=]}."""
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else 0
    found = _found(request.GET.get("to", "")[:254], request.GET.get("q", "")[:100].strip())
    later = found.filter(pk__gt=after)[:SHOWN]
    rows = [_as_json(message) for message in later]
    return JsonResponse({"newest": rows[0]["id"] if rows else after, "messages": rows})


def _found(selected: str, query: str) -> Any:
    found = PhoneMessage.objects.order_by("-pk")
    if selected:
        found = found.filter(to=selected)
    if query:
        found = found.filter(Q(to__icontains=query) | Q(body__icontains=query))
    return found


def _as_json(message: PhoneMessage) -> dict[str, Any]:
    return {
        "id": message.pk,
        "channel": message.channel,
        "to": message.to,
        "sender": message.sender,
        "subject": message.subject,
        "body": message.body,
        "status": message.status,
        "at": message.arrived_at.isoformat(),
    }
