"""Icons, codes and words for the shopper's templates."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import segno
from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info

from apps.tracking.blocks import Block, blocks_of
from apps.tracking.words import PageWords, page_words

register = template.Library()
_WORDS = "the page in words"
_RANGE = re.compile(r"\d\d:\d\d–\d\d:\d\d")


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: int = 20) -> SafeString:
    """A decorative icon of the sprite; the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}#{2}"></use></svg>',
        size,
        static("icons/sprite.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def words_of(
    context: template.Context, doc: Mapping[str, Any], brand: Mapping[str, Any], paths: Mapping[str, str]
) -> PageWords:
    """{% words_of doc brand paths as page %}, worked out once for one rendering."""
    outermost: dict[Any, Any] = context.dicts[0]
    said, words = outermost.get(_WORDS, (None, None))
    if words is None or said is not doc:
        words = page_words(doc, brand, paths)
        outermost[_WORDS] = doc, words
    found: PageWords = words
    return found


@register.simple_tag
def blocks_for(doc: Mapping[str, Any], brand: Mapping[str, Any]) -> list[Block]:
    """{% blocks_for doc brand as blocks %}"""
    return blocks_of(doc.get("blocks") or (), brand["slug"])


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Code and own name of every language that is shipped."""
    return [(code, get_language_info(code)["name_local"].capitalize()) for code, _name in settings.LANGUAGES]


@register.simple_tag
def qr_code(text: str) -> str:
    """A QR code as the address of an image (data:), dark on white whatever the scheme: scanners need it so."""
    return str(segno.make(text, error="m", micro=False).svg_data_uri(border=2, dark="#101215", light="#ffffff"))


@register.filter(needs_autoescape=True)
def unbroken(text: str, autoescape: bool = True) -> SafeString:
    """Ranges such as 14:10–14:40 stay on one line."""
    escaped = conditional_escape(text) if autoescape else text
    return mark_safe(_RANGE.sub(r'<span class="together">\g<0></span>', escaped))  # noqa: S308


@register.filter
def spaced(code: str) -> str:
    """ "123 456": digits in groups of three, easier to read out."""
    return " ".join(code[i : i + 3] for i in range(0, len(code), 3)) if code.isdigit() else code


@register.filter
def unlocalised(number: float) -> str:
    """A number for machines: with a point, whatever the reader's language."""
    return repr(float(number))
