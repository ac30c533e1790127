from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from report_cases import counts_of, manifest_of, page_entries

from subcmc_crawler.model import Counts, Manifest, State, Verdict
from subcmc_crawler.report.html.drawing import sparkline, timeline


def nights_of(*rows: int | None) -> list[Manifest]:
    unreachable: dict[str, Any] = {
        "verdict": Verdict.UNREACHABLE,
        "state": State.ROLLED_BACK,
        "counts": Counts(),
    }
    return [
        manifest_of(run=number, **unreachable)
        if count is None
        else manifest_of(run=number, counts=counts_of(count))
        for number, count in enumerate(rows, 1)
    ]


def strokes(drawn: str) -> list[list[tuple[int, int]]]:
    """The points of each unbroken line of a sparkline."""
    line = re.search(r'<path d="([^"]*)"', drawn)
    return [list(_points(stroke)) for stroke in line[1].split("M")[1:]] if line else []


def _points(stroke: str) -> Iterator[tuple[int, int]]:
    x, y, *steps = map(int, re.findall(r"-?\d+", stroke.removesuffix("h1")))
    yield x, y
    for right, down in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + right, y + down
        yield x, y


def test_rows_that_stay_are_one_level_line() -> None:
    [line] = strokes(sparkline(nights_of(100, 100, 100), ""))
    assert len(line) == 3
    assert len({y for _, y in line}) == 1


def test_more_rows_stand_higher() -> None:
    [[(_, low), (_, high)]] = strokes(sparkline(nights_of(1_000, 2_000), ""))
    assert high < low


def test_a_night_without_an_answer_is_a_gap_and_a_tick() -> None:
    drawn = sparkline(nights_of(100, 100, None, 100), "")
    assert [len(line) for line in strokes(drawn)] == [2, 1]
    ticks = re.search(r'class="t" d="([^"]*)"', drawn)
    assert ticks
    assert ticks[1].count("M") == 1


def test_a_first_night_is_a_dot() -> None:
    assert sparkline(nights_of(5), "").count("<circle") == 1


def test_a_label_cannot_leave_its_attribute() -> None:
    assert 'aria-label="&#34;&gt;&lt;script&gt;"' in sparkline(nights_of(1), '"><script>')


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=30))
def test_thirty_nights_stay_in_their_box_and_in_their_places(rows: list[int | None]) -> None:
    points = [point for line in strokes(sparkline(nights_of(*rows), "")) for point in line]
    left = 120 - 4 * len(rows)
    assert [x for x, _ in points] == [left + 4 * at for at, count in enumerate(rows) if count is not None]
    assert all(0 <= y <= 14 for _, y in points)


def bars(drawn: str) -> int:
    return len(re.findall(r"v-\d+", drawn))


def test_every_page_is_a_bar_and_one_tried_again_has_a_cap() -> None:
    drawn = timeline(page_entries(50))
    assert bars(drawn) == 50
    assert drawn.count('v2"') == 1


def test_many_pages_share_bars() -> None:
    assert bars(timeline(page_entries(5_000))) <= 120


def test_a_line_parts_the_passes() -> None:
    first = page_entries(3)
    second = [replace(page, walk_pass=2) for page in first]
    assert 'class="s"' in timeline([*first, *second])
    assert 'class="s"' not in timeline(first)


@given(st.lists(st.floats(0, 1e9), max_size=200))
def test_no_bar_leaves_its_box(milliseconds: list[float]) -> None:
    pages = [
        replace(page_entries(1)[0], ordinal=at, milliseconds=each) for at, each in enumerate(milliseconds)
    ]
    tall = [int(each) for each in re.findall(r"v-(\d+)", timeline(pages))]
    assert bool(tall) == bool(pages)
    assert all(1 <= each <= 24 for each in tall)
