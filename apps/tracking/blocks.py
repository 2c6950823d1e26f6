"""The merchant's blocks on a page: read when it is rendered, because the document names them by id only."""

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import get_language

from apps.core.sealed_ids import opened_id, sealed_id
from apps.tracking.models import ContentBlock

LONGEST_SIDE = 1040


@dataclass(frozen=True, slots=True)
class Block:
    title: str
    text: str
    link: str
    link_label: str
    picture_url: str


def blocks_of(ids: Collection[str], slug: str) -> list[Block]:
    """Those for the reader's language, in the document's order."""
    wanted = [pk for pk in (opened_id("block", sealed) for sealed in ids) if pk is not None]
    if not wanted:
        return []
    rows = ContentBlock.objects.filter(merchant__slug=slug, language__in=("", get_language() or "")).in_bulk(wanted)
    return [_block(rows[pk], slug) for pk in wanted if pk in rows]


def _block(row: ContentBlock, slug: str) -> Block:
    address = reverse("tracking:block_picture", args=[slug, sealed_id("block", row.pk)])
    # The file's name is drawn anew with each upload, so the address may be cached for long.
    picture = f"{address}?v={(row.image.name or '').rpartition('/')[2]}" if row.image else ""
    return Block(row.title, row.text, row.link, row.link_label, picture)
