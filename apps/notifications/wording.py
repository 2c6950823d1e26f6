"""Turns a fact into words: one SMS, or an e-mail in text and HTML, in the person's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.utils import translation

from apps.notifications.catalogue import Channel
from apps.notifications.segments import one_line

DOTS = "••••••"
_PLAIN = str.maketrans({"–": "-", "…": "...", "’": "'", "\u00a0": " ", "\u202f": " "})


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    text: str
    html: str


def render(trigger: str, channel: str, language: str, facts: Mapping[str, Any]) -> Words:
    """The message; `facts` are the values the templates of templates/notifications/ name."""
    with translation.override(known_language(language)):
        if channel == Channel.SMS:
            text = " ".join(_text(f"{trigger}.sms.txt", facts).split())
            return Words("", spelled_for(channel, text), "")
        subject, _line, body = _text(f"{trigger}.email.txt", facts).strip().partition("\n")
        paragraphs = [" ".join(part.split()) for part in body.split("\n\n") if part.strip()]
        whole = {**facts, "subject": one_line(subject, 150), "paragraphs": paragraphs}
        return Words(
            whole["subject"],
            _text("email.txt", whole).strip() + "\n",
            render_to_string("notifications/email.html", whole),
        )


def known_language(language: str) -> str:
    """The nearest language this install speaks."""
    known = {code for code, _name in settings.LANGUAGES}
    short = language.split("-")[0].lower()
    return language if language in known else short if short in known else settings.LANGUAGE_CODE


def spelled_for(channel: str, text: str) -> str:
    """These are no letters of GSM-7: one of them would double the price of a text."""
    return text.translate(_PLAIN) if channel == Channel.SMS else text


def _text(name: str, facts: Mapping[str, Any]) -> str:
    return str(_plain_engine().get_template(f"notifications/{name}").render(Context(dict(facts), autoescape=False)))


@cache
def _plain_engine() -> Engine:
    """Texts are not HTML: `Müller & Söhne` must not arrive as `Müller &amp; Söhne`."""
    return Engine(
        dirs=[str(settings.BASE_DIR / "templates")],
        autoescape=False,
        libraries={"i18n": "django.templatetags.i18n"},
    )
