"""What is drawn: the shape of each verdict, the past of a count, the pages of a walk. Plain SVG, no colour.

Colours come from the style sheet by class, and none of them says what the shape does not say, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Final

from markupsafe import Markup

from subcmc_crawler.model import CLEAN, Manifest, State
from subcmc_crawler.report.detail import PageEntry

SHAPES: Final[Mapping[str, str]] = {
    "proven": '<path d="M2.5 7 5.5 10 11.5 3.5"/>',
    "repaired": '<path d="M11.3 7.8A4.5 4.5 0 1 1 10 3.8M10.3 1v3h-3"/>',
    "duplicated": '<path d="M2 5h7v7H2zM5 5V2h7v7H9"/>',
    "unregistered": '<path d="M3 7h8"/>',
    "shrunk": '<path class="f" d="M1.5 3h11L7 12z"/>',
    "short": '<path d="M2 2h10v10H2zM4.5 7h5"/>',
    "surplus": '<path d="M2 2h10v10H2zM4.5 7h5M7 4.5v5"/>',
    "drifting": '<path d="M1 5c2-3 4-3 6 0s4 3 6 0M1 10c2-3 4-3 6 0s4 3 6 0"/>',
    "refused": '<path d="M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0zM3.5 10.5l7-7"/>',
    "unreachable": '<path d="M1 7h3.5M9.5 7H13M5.5 3.5l3 7"/>',
    "incomplete": '<path d="M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0z"/><path class="f" d="M7 2a5 5 0 0 0 0 10z"/>',
    "store-mismatch": '<path d="M7 .8 13.2 12.5H.8zM7 5v3.5M7 10v1"/>',
    "pending": '<path stroke-dasharray="2 2" d="M12 7A5 5 0 1 1 2 7a5 5 0 0 1 10 0z"/>',
}
"""Verdict -> its shape in a box of 14 by 14; no two are alike."""

_SPARK_WIDTH, _SPARK_HEIGHT, _STEP = 120, 20, 4
_BAR, _BARS, _TALL = 6, 120, 30


def sprite() -> Markup:
    """All shapes, to be used by `<use href="#v-short"/>`; stands once in a page."""
    symbols = (
        f'<symbol id="v-{name}" viewBox="0 0 14 14">{shape}</symbol>' for name, shape in SHAPES.items()
    )
    return Markup(f'<svg class="sprite" aria-hidden="true">{"".join(symbols)}</svg>')  # noqa: S704 - ours


def sparkline(nights: Sequence[Manifest], label: str) -> Markup:
    """The rows received over the nights, the oldest first; a tick below marks each that was not clean.

    A night without an answer leaves a gap. The last night has a dot.
    """
    known = [night.counts.received if night.counts.declared is not None else None for night in nights]
    rows = [count for count in known if count is not None]
    low, high = (min(rows), max(rows)) if rows else (0, 0)
    left = _SPARK_WIDTH - _STEP * len(nights)
    places = [left + _STEP * number for number in range(len(nights))]
    heights = [None if count is None else _height(count, low, high) for count in known]
    line = "".join(_strokes(zip(places, heights, strict=True)))
    ticks = "".join(f"M{x} 19v-3" for x, night in zip(places, nights, strict=True) if _faulty(night))
    last = (
        f'<circle cx="{places[-1]}" cy="{heights[-1]}" r="2"/>' if heights and heights[-1] is not None else ""
    )
    return _svg("spark", _SPARK_WIDTH, _SPARK_HEIGHT, label, f'<path d="{line}"/>{_path("t", ticks)}{last}')


def timeline(pages: Sequence[PageEntry], most: int = _BARS) -> Markup:
    """One bar a page, as high as its answer took long; a cap marks more than one try, a line the next pass.

    More than `most` pages share bars, each as high as the slowest of its pages. The table beside it says the same.
    """
    share = -(-len(pages) // most) or 1
    bars = [pages[at : at + share] for at in range(0, len(pages), share)]
    slowest = max((page.milliseconds for page in pages), default=0) or 1
    plain: list[str] = []
    tried: list[str] = []
    seams: list[str] = []
    for number, bar in enumerate(bars):
        x = number * _BAR
        tall = max(1, round(max(page.milliseconds for page in bar) / slowest * (_TALL - 6)))
        again = any(page.tries > 1 for page in bar)
        (tried if again else plain).append(f"M{x + 2} {_TALL}v-{tall}")
        if again:
            tried.append(f"M{x + 2} {_TALL - tall - 4}v2")
        if number and bars[number - 1][-1].walk_pass != bar[-1].walk_pass:
            seams.append(f"M{x - 1} 0v{_TALL}")
    drawn = _path("", "".join(plain)) + _path("b", "".join(tried)) + _path("s", "".join(seams))
    return _svg("time", max(len(bars) * _BAR - 2, _BAR), _TALL, "", drawn)


def middle(pages: Iterable[PageEntry]) -> float:
    """The median of the milliseconds, 0 without pages."""
    return median([page.milliseconds for page in pages] or [0.0])


def _strokes(points: Iterable[tuple[int, int | None]]) -> Iterable[str]:
    """A line through neighbours; a point that stands alone is a short dash."""
    for there, group in groupby(points, key=lambda point: point[1] is not None):
        if there:
            run = list(group)
            heights = [height or 0 for _, height in run]
            steps = (f"{_STEP} {below - above}" for above, below in pairwise(heights))
            yield f"M{run[0][0]} {heights[0]}" + ("l" + " ".join(steps) if len(run) > 1 else "h1")


def _height(count: int, low: int, high: int) -> int:
    return 8 if low == high else 14 - round((count - low) / (high - low) * 12)


def _faulty(night: Manifest) -> bool:
    return night.verdict not in CLEAN or night.state not in (State.PUBLISHED, State.NONE)


def _path(name: str, line: str) -> str:
    kind = f' class="{name}"' if name else ""
    return f'<path{kind} d="{line}"/>' if line else ""


def _svg(name: str, width: int, height: int, label: str, drawn: str) -> Markup:
    """A picture with a label, its size given by the style sheet; without a label it is decoration."""
    told = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="{}" viewBox="0 0 {} {}" {}>{}</svg>').format(
        name,
        width,
        height,
        told,
        Markup(drawn),  # noqa: S704 - numbers of ours
    )
