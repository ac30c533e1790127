"""What the dashboard draws: nights side by side, and a night against its plan. Plain SVG, colours by class.

What a colour says, a height or a place says, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from subcmc_crawler.model import Manifest, RunRecord, Verdict
from subcmc_crawler.report.html.environment import kind, verdict_kind
from subcmc_crawler.report.night import cell_of

KINDS: Final = ("bad", "note", "good", "dim", "wait")
"""From what needs somebody to what does not."""

_TALL: Final = {"bad": 16, "wait": 10, "note": 9, "good": 5, "dim": 2}
_STEP, _BAR, _STRIP = 5, 4, 16
_NIGHTS_WIDE, _NIGHT_TALL = 1080, 96
_WIDE: Final = 720
_ROW: Final = 18
_TICKS: Final = 12
_STEPS: Final = (
    *(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 15, 30)),
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12, 24, 10_000)),
)


def counted(run: RunRecord) -> Mapping[str, int]:
    """The cells of a run by the kind of their verdict, those that need somebody first."""
    found = dict.fromkeys(KINDS, 0)
    for verdict, cells in run.summary.items():
        found[verdict_kind(Verdict(verdict)) if verdict in list(Verdict) else "wait"] += cells
    return found


def urgent(verdict: str) -> bool:
    """Whether a verdict needs somebody."""
    return verdict in list(Verdict) and verdict_kind(Verdict(verdict)) == "bad"


def strip(nights: Sequence[Manifest | None], label: str) -> Markup:
    """One bar a night, the oldest first: the taller, the more it needs somebody; a gap where there was none."""
    bars: dict[str, list[str]] = {}
    for number, night in enumerate(nights):
        if night is not None:
            name = kind(cell_of(night))
            bars.setdefault(name, []).append(
                f"M{number * _STEP} {_STRIP}v-{_TALL[name]}h{_BAR}v{_TALL[name]}z"
            )
    drawn = "".join(f'<path class="{name}" d="{"".join(parts)}"/>' for name, parts in bars.items())
    return _svg("strip", max(len(nights), 1) * _STEP - 1, _STRIP, label, drawn)


def nights(runs: Sequence[tuple[RunRecord, str]], titles: Sequence[str]) -> Markup:
    """One column a run, the oldest first, of its cells by kind; a click leads to it.

    Hidden from readers of the page by ear and by key: the table of the same nights is theirs.
    """
    most = max((sum(counted(run).values()) for run, _ in runs), default=0) or 1
    columns = []
    step = min(36, _NIGHTS_WIDE // max(len(runs), 1))
    for number, ((run, link), title) in enumerate(zip(runs, titles, strict=True)):
        x = number * step
        columns.append(
            Markup(
                '<a href="{}" tabindex="-1"><title>{}</title><path class="hit" d="M{} 0h{}v{}h-{}z"/>{}</a>'
            ).format(link, title, x, step, _NIGHT_TALL, step, _column(run, x, step - 2, most))
        )
    width = max(len(runs), 1) * step
    return Markup(
        '<svg class="nights" width="{}" height="{}" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>'
    ).format(width, _NIGHT_TALL, width, _NIGHT_TALL, Markup("").join(columns))


def shares(run: RunRecord, label: str) -> Markup:
    """The cells of a run by kind as one line, those that need somebody first."""
    cells = counted(run)
    every = sum(cells.values()) or 1
    x, parts = 0.0, []
    for name, count in cells.items():
        if count:
            wide = max(count / every * 160, 2)
            parts.append(f'<path class="{name}" d="M{x:.1f} 0h{wide:.1f}v10h-{wide:.1f}z"/>')
            x += wide
    return _svg("shares", 160, 10, label, "".join(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time on the chart and what it stands for: `window`, `plan`, or the kind of a walk."""

    name: str
    begin: datetime
    end: datetime
    title: str = ""


def gantt(spans: Sequence[Span], first: datetime, last: datetime, label: str) -> Markup:
    """One row: the window as a band, the plan as a frame, walks as bars; those that are not clean stand out below."""
    drawn = Markup("").join(_bar(span, first, last) for span in spans)
    return _svg("gantt", _WIDE, _ROW, label, drawn)


def axis(first: datetime, last: datetime) -> Markup:
    """The times over the rows of a chart."""
    step = next((step for step in _STEPS if (last - first) / step <= _TICKS), _STEPS[-1])
    form = "%H:%M" if step >= timedelta(minutes=1) else "%H:%M:%S"
    marks = []
    for at in ticks(first, last, step):
        x = _place(at, first, last)
        marks.append(f'<path d="M{x:.1f} 12v6"/><text x="{x:.1f}" y="10">{at:{form}}</text>')
    return _svg("axis", _WIDE, _ROW, f"{first:{form}} - {last:{form}}", "".join(marks))


def ticks(first: datetime, last: datetime, step: timedelta) -> Iterable[datetime]:
    """Times from first to last, as a clock has them: counted from the full hour before."""
    hour = first.replace(minute=0, second=0, microsecond=0)
    at = hour + -((hour - first) // step) * step  # rounded up
    while at <= last:
        yield at
        at += step


def _bar(span: Span, first: datetime, last: datetime) -> Markup:
    left = _place(span.begin, first, last)
    wide = max(_place(span.end, first, last) - left, 1.5)
    top, tall = {"window": (0, _ROW), "plan": (1, 6)}.get(span.name, (9, 7 if span.name != "bad" else 9))
    shape = Markup('<path class="{}" d="M{:.1f} {}h{:.1f}v{}h-{:.1f}z">').format(
        span.name, left, top, wide, tall, wide
    )
    return shape + Markup("<title>{}</title></path>").format(span.title)


def _place(at: datetime, first: datetime, last: datetime) -> float:
    share = (at - first) / (last - first) if last > first else 0.0
    return min(max(share, 0.0), 1.0) * _WIDE


def _column(run: RunRecord, x: int, wide: int, most: int) -> Markup:
    y, parts = 0.0, []
    for name, count in counted(run).items():
        if count:
            tall = max(count / most * _NIGHT_TALL, 1.5)
            parts.append(f'<path class="{name}" d="M{x + 1} {y:.1f}h{wide}v{tall:.1f}h-{wide}z"/>')
            y += tall
    return Markup("".join(parts))  # noqa: S704 - numbers of ours


def _svg(name: str, width: int, height: int, label: str, drawn: str) -> Markup:
    return Markup(
        '<svg class="{}" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>'
    ).format(name, width, height, width, height, label, Markup(drawn))  # noqa: S704 - numbers of ours
