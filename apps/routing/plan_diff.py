"""A preview as a dispatcher looks at it: figures before and after, who moves and why, and both plans drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import clock
from apps.routing import plan_words
from apps.routing.models import PlanPreview, Visit
from apps.routing.services import RouteMoved, as_shown
from apps.routing.snapshot import take
from apps.routing.stops import zone_of
from apps.routing.timeline import HEAD, HOUR, LABEL, Scale, hours_of

ROW, BEFORE_TOP, AFTER_TOP, BAR = 62, 6, 34, 14


@dataclass(frozen=True, slots=True)
class MoveLine:
    """One stop that would move. `deliveries` are (id, order)."""

    deliveries: tuple[tuple[int, str], ...]
    town: str
    vans: tuple[str, str]
    times: tuple[datetime | None, datetime | None]
    by: str
    cause: str
    is_other_van: bool


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    before: str
    after: str
    change: str
    is_better: bool


@dataclass(frozen=True, slots=True)
class Diff:
    """`holds` is False once the plan has moved on: it can only be looked at again."""

    preview: PlanPreview
    lines: tuple[MoveLine, ...]
    figures: tuple[Figure, ...]
    churn: str
    picture: SafeString
    holds: bool
    verdict: str
    until: datetime | None


def diff_of(preview: PlanPreview) -> Diff:
    """What the page of the day shows of it."""
    content, zone = preview.content, zone_of(preview.plan.depot)
    ready = preview.state == PlanPreview.State.READY
    visits = _visits(content)
    return Diff(
        preview=preview,
        lines=tuple(_line(row, visits) for row in content.get("moves", ()) if ready),
        figures=tuple(_figures(content, preview.plan.depot.currency)) if ready else (),
        churn=_churn(content["churn"]) if ready else "",
        picture=draw(content, zone, visits) if ready else SafeString(""),
        holds=ready and _holds(preview),
        verdict=plan_words.verdict(content.get("detail", "")),
        until=preview.expires_at,
    )


def _holds(preview: PlanPreview) -> bool:
    if preview.expires_at is None or preview.expires_at <= clock.wall():
        return False
    try:
        as_shown(take(depot=preview.plan.depot, day=preview.plan.day), preview)
    except RouteMoved:
        return False
    return True


def _visits(content: Mapping[str, Any]) -> dict[int, Visit]:
    rows = [row["visit"] for row in content.get("moves", ())]
    found = Visit.objects.select_related("place").prefetch_related("drops__delivery__order")
    return found.in_bulk(rows)


def _line(row: Mapping[str, Any], visits: Mapping[int, Visit]) -> MoveLine:
    visit = visits.get(row["visit"])
    drops = list(visit.drops.all()) if visit is not None else []
    van_before, van_after = row["vans"]
    minutes = row["minutes"]
    return MoveLine(
        deliveries=tuple((drop.delivery_id, drop.delivery.order.reference) for drop in drops if drop.is_open),
        town=visit.place.town if visit is not None else "",
        vans=(van_before or _("no van"), van_after or _("no van")),
        times=(_instant(row["times"][0]), _instant(row["times"][1])),
        by="" if minutes is None else _signed(minutes, _("min")),
        cause=plan_words.cause(row["cause"]),
        is_other_van=van_before != van_after,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _figures(content: Mapping[str, Any], currency: str) -> Iterator[Figure]:
    before, after = content["before"], content["after"]

    def figure(name: str, key: str, unit: str, per: int = 1, places: int = 0) -> Figure:
        was, now = before[key] / per, after[key] / per
        change = now - was
        sign = "+" if change > 0 else "−" if change < 0 else "±"
        words = [f"{value:.{places}f} {unit}".strip() for value in (was, now, abs(change))]
        return Figure(name, words[0], words[1], f"{sign}{words[2]}", change < 0)

    if before["money"] or after["money"]:
        yield figure(_("Cost"), "money", currency, per=100, places=2)
    yield figure(_("Driving"), "seconds", _("min"), per=60)
    yield figure(_("Way"), "metres", "km", per=1000, places=1)
    yield figure("CO₂e", "grams", "kg", per=1000, places=2)
    # A preview that was worked out by the release before has no such figure.
    if "late" in after and (before["late"] or after["late"]):
        yield figure(_("Late"), "late", _("min"), per=60)
    if before["left_out"] or after["left_out"]:
        yield figure(_("Without a van"), "left_out", "")
    if "overlap" in before and "overlap" in after:
        yield figure(_("Neighbouring stops on different vans"), "overlap", "%", per=10)
        yield figure(_("Working times apart"), "spread", _("min"), per=60)


def _churn(churn: Mapping[str, int]) -> str:
    """Who would notice."""
    moved = ngettext(
        "%(count)s stop moves by more than five minutes",
        "%(count)s stops move by more than five minutes",
        churn["over_5"],
    ) % {"count": churn["over_5"]}
    more = _("%(count)s of them by more than ten") % {"count": churn["over_10"]}
    vans = ngettext("%(count)s changes vans", "%(count)s change vans", churn["vans"]) % {"count": churn["vans"]}
    return f"{moved}, {more}; {vans}."


def _signed(value: int, unit: str) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return f"{sign}{abs(value)} {unit}"


def draw(content: Mapping[str, Any], zone: ZoneInfo, visits: Mapping[int, Visit]) -> SafeString:
    """Each van that changes as two rows of blocks: as it stands, and under it as it would be."""
    rows = content["vans"]
    spans = [[_at(text) for text in block[1:]] for row in rows for block in (*row["before"], *row["after"])]
    if not spans:
        return SafeString("")
    begins = min(start for start, _end in spans).replace(minute=0, second=0, microsecond=0)
    ends = max(end for _start, end in spans)
    hours = -(-(ends - begins) // timedelta(hours=1))
    width, height = LABEL + hours * HOUR + 8, HEAD + ROW * len(rows) + 4
    moved = {f"v{row['visit']}" for row in content["moves"]}
    drawing = _Drawing(Scale(begins, zone), moved, visits)
    return format_html(
        '<svg class="gantt gantt--diff" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}">'
        "{}{}</svg>",
        width,
        height,
        width,
        height,
        _("Each van that changes: above as it stands, below as it would be"),
        format_html_join("", "{}", ((line,) for line in hours_of(drawing.scale, hours, height))),
        format_html_join("", "{}", ((drawing.row(row, number),) for number, row in enumerate(rows))),
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class _Drawing:
    scale: Scale
    moved: set[str]
    visits: Mapping[int, Visit]

    def row(self, row: Mapping[str, Any], number: int) -> SafeString:
        before, after = row["before"], row["after"]
        return format_html(
            '<g role="img" aria-label="{}" transform="translate(0 {})">'
            '<text class="gantt-van" x="12" y="17">{}</text><text class="gantt-soft" x="100" y="17">{}</text>'
            '<text class="gantt-soft" x="100" y="{}">{}</text>{}{}{}</g>',
            self.spoken(row),
            HEAD + number * ROW,
            row["code"],
            _("now"),
            AFTER_TOP + 11,
            _("then"),
            self.ways(before, after),
            self.blocks(before, BEFORE_TOP, "is-before"),
            self.blocks(after, AFTER_TOP, "is-after"),
        )

    def spoken(self, row: Mapping[str, Any]) -> str:
        old, new = ({stop for stop, *_times in row[key]} for key in ("before", "after"))
        facts = {
            "van": row["code"],
            "moved": len(self.moved & old & new),
            "new": len(new - old),
            "gone": len(old - new),
        }
        return _("%(van)s: %(moved)s stops move, %(new)s come, %(gone)s go") % facts

    def blocks(self, line: Sequence[Sequence[str]], top: int, kind: str) -> SafeString:
        return format_html_join("", "{}", ((self.block(block, top, kind),) for block in line))

    def block(self, block: Sequence[str], top: int, kind: str) -> SafeString:
        stop, start, end = block
        began, ended = _at(start), _at(end)
        return format_html(
            '<rect class="gantt-diff {}{}" x="{}" width="{}" y="{}" height="{}" rx="2"><title>{}</title></rect>',
            kind,
            " is-moved" if stop in self.moved else "",
            self.scale.x(began),
            self.scale.width(began, ended),
            top,
            BAR,
            f"{self.scale.clock(began)}–{self.scale.clock(ended)} {self.name(stop)}".strip(),
        )

    def name(self, stop: str) -> str:
        visit = self.visits.get(int(stop[1:])) if stop.startswith("v") else None
        if visit is None:
            return ""
        return ", ".join([*(drop.delivery.order.reference for drop in visit.drops.all()), visit.place.town])

    def ways(self, before: Sequence[Sequence[str]], after: Sequence[Sequence[str]]) -> SafeString:
        """A line from where a stop is to where it would be."""
        then = {stop: _at(start) for stop, start, _end in after}
        pairs = [(_at(start), then[stop]) for stop, start, _end in before if stop in then and stop in self.moved]
        lines = ((self.scale.x(was) + 1, self.scale.x(now) + 1, BEFORE_TOP + BAR, AFTER_TOP) for was, now in pairs)
        return format_html_join("", '<line class="gantt-way" x1="{}" x2="{}" y1="{}" y2="{}"/>', lines)
