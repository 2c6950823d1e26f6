"""Brings the agent's desk into the admin's delivery page."""

import json
import secrets
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.deliveries.models import Delivery
from apps.feedback.models import ThreadMessage
from apps.feedback.rules import READY_SENTENCES
from apps.support.desk import Desk, desk_of

register = template.Library()
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


@register.simple_tag
def desk(delivery: Delivery) -> Desk:
    """{% desk original as desk %}"""
    return desk_of(delivery)


@register.simple_tag
def form_key() -> str:
    """New for every form that is drawn, so that the same one sent twice says it once."""
    return secrets.token_hex(12)


@register.filter
def ready_sentence(message: ThreadMessage) -> str:
    return str(READY_SENTENCES.get(message.sentence, ""))


@register.simple_tag
def map_data(marks: list[dict[str, Any]], label: str, tracks: str = "") -> SafeString:
    """A map's figure: static/js/admin-map.js draws the marks, which stand here as data and nothing else.

    `tracks` is the address of what vans drive along, where there is any.
    """
    content = {"marks": marks, "tracks": tracks}
    data = mark_safe(json.dumps(content).translate(_ESCAPES))  # noqa: S308  (escaped as json_script does)
    return format_html(
        '<figure class="desk-map" data-map-figure aria-label="{}"><div class="desk-map__canvas" data-map></div>'
        '<script type="application/json">{}</script></figure>',
        label,
        data,
    )
