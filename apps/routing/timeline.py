"""The day plan's picture: one row per van, blocks of time from left to right, drawn as SVG on the server.

Positions stand in attributes, colours in the admin's style sheet, so it follows the light and the dark scheme.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.routing.board import Block, Board, StopLine, VanLine
from apps.routing.stops import zone_of

LABEL, HOUR, ROW, HEAD = 156, 96, 46, 26
BAR_TOP, BAR = 8, 16
WINDOWS_TOP, WINDOW_STEP, WINDOW_LANES = 29, 4, 3
NARROW = timedelta(hours=3)
"""A wider window says nothing about the turn of a stop, so it is not drawn."""


def draw(board: Board) -> SafeString:
    """The picture, with words for whoever does not see it."""
    hours = max(1, round((board.ends - board.begins) / timedelta(hours=1)))
    width, height = LABEL + hours * HOUR + 8, HEAD + ROW * max(1, len(board.vans)) + 4
    scale = Scale(board.begins, zone_of(board.plan.depot))
    parts: list[SafeString] = [
        format_html_join("", "{}", ((line,) for line in hours_of(scale, hours, height))),
        format_html_join("", "{}", ((_row(scale, van, number),) for number, van in enumerate(board.vans))),
        _now_line(scale, board.now, board.ends, height),
    ]
    return format_html(
        '<svg class="gantt" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}">{}</svg>',
        width,
        height,
        width,
        height,
        _("The day of each van, from left to right"),
        format_html_join("", "{}", ((part,) for part in parts)),
    )


class Scale:
    """Instants as places on the picture."""

    def __init__(self, begins: datetime, zone: ZoneInfo) -> None:
        self.begins, self.zone = begins, zone

    def x(self, instant: datetime) -> float:
        return round(LABEL + (instant - self.begins) / timedelta(hours=1) * HOUR, 1)

    def width(self, start: datetime, end: datetime) -> float:
        return round(max(1.0, (end - start) / timedelta(hours=1) * HOUR), 1)

    def clock(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.zone):%H:%M}"


def hours_of(scale: Scale, count: int, height: int) -> Iterator[SafeString]:
    for number in range(count + 1):
        instant = scale.begins + timedelta(hours=number)
        x = scale.x(instant)
        yield format_html(
            '<line class="gantt-hour" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
            '<text class="gantt-clock" x="{0}" y="14" text-anchor="{4}">{3}</text>',
            x,
            HEAD - 6,
            height,
            scale.clock(instant),
            "end" if number == count else "middle",
        )


def _row(scale: Scale, van: VanLine, number: int) -> SafeString:
    top = HEAD + number * ROW
    vehicle = van.shift.vehicle
    return format_html(
        '<g role="img" aria-label="{}" transform="translate(0 {})">'
        '<rect class="gantt-shift" x="{}" width="{}" y="{}" height="{}" rx="4"/>'
        '<rect class="gantt-swatch track-{}" x="0" y="{}" width="4" height="{}" rx="2"/>'
        '<text class="gantt-van" x="12" y="20">{}</text><text class="gantt-soft" x="12" y="35">{}</text>{}{}</g>',
        spoken(scale, van),
        top,
        scale.x(van.shift.starts_at),
        scale.width(van.shift.starts_at, van.shift.ends_at),
        BAR_TOP - 3,
        BAR + 6,
        van.colour,
        BAR_TOP - 2,
        ROW - 14,
        vehicle.code,
        f"{van.shift.driver.name}, {van.summary}",
        format_html_join("", "{}", ((_block(scale, block),) for block in van.blocks)),
        format_html_join("", "{}", ((line,) for line in _windows(scale, van.stops))),
    )


def spoken(scale: Scale, van: VanLine) -> str:
    """A van's row in words."""
    words = [f"{van.shift.vehicle.code}, {van.shift.driver.name}, {van.status}: {van.summary}"]
    if van.stops:
        words.append(f"{scale.clock(van.stops[0].start)}–{scale.clock(van.stops[-1].end)}")
    words += [_("break at %(clock)s") % {"clock": scale.clock(one.start)} for one in van.blocks if one.kind == "break"]
    words += [
        _("at the depot again at %(clock)s") % {"clock": scale.clock(one.start)}
        for one in van.blocks
        if one.kind == "reload"
    ]
    if van.late:
        words.append(ngettext("%(late)s stop late", "%(late)s stops late", van.late) % {"late": van.late})
    return ", ".join(words)


def _block(scale: Scale, block: Block) -> SafeString:
    classes = (
        f"gantt-block gantt-{block.kind}{' is-late' if block.is_late else ''}{' is-done' if block.is_done else ''}"
    )
    thin = block.kind in ("drive", "wait")
    title = format_html("<title>{}</title>", block.words) if block.words else ""
    return format_html(
        '<rect class="{}" x="{}" width="{}" y="{}" height="{}" rx="{}">{}</rect>',
        classes,
        scale.x(block.start),
        scale.width(block.start, block.end),
        BAR_TOP + 6 if thin else BAR_TOP,
        BAR - 12 if thin else BAR,
        0 if thin else 2,
        title,
    )


def _windows(scale: Scale, stops: Iterable[StopLine]) -> Iterator[SafeString]:
    """The agreed windows that are narrow, under the blocks; a late one in the colour of lateness."""
    narrow = [stop for stop in stops if stop.window is not None and stop.window[1] - stop.window[0] <= NARROW]
    for number, stop in enumerate(narrow):
        if stop.window is None:
            continue
        start, end = max(stop.window[0], scale.begins), stop.window[1]
        yield format_html(
            '<rect class="gantt-window{}" x="{}" width="{}" y="{}" height="2"/>',
            " is-late" if stop.late_minutes else "",
            scale.x(start),
            scale.width(start, end),
            WINDOWS_TOP + WINDOW_STEP * (number % WINDOW_LANES),
        )


def _now_line(scale: Scale, now: datetime | None, ends: datetime, height: int) -> SafeString:
    if now is None or not scale.begins <= now <= ends:
        return format_html("")
    x = scale.x(now)
    return format_html(
        '<g class="gantt-now"><line x1="{0}" x2="{0}" y1="{1}" y2="{2}"/><text x="{3}" y="{2}">{4}</text></g>',
        x,
        HEAD - 8,
        height,
        x + 4,
        _("now %(clock)s") % {"clock": scale.clock(now)},
    )
