"""The times over a chart: as a clock has them, and few enough to be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.dashboard.drawing import axis, ticks

AT = datetime(2026, 11, 26, 22, 19, 17, tzinfo=UTC)
MOMENTS = st.integers(0, 10**9).map(lambda seconds: AT + timedelta(milliseconds=seconds))


def told(first: datetime, last: datetime) -> list[str]:
    return re.findall(r">([0-9:]+)</text>", axis(first, last))


@pytest.mark.parametrize(
    ("span", "times"),
    [
        (timedelta(seconds=15), ["22:19:18", "22:19:20", "22:19:22", "22:19:24"]),
        (timedelta(minutes=30), ["22:20", "22:25", "22:30", "22:35"]),
        (timedelta(hours=4), ["22:30", "23:00", "23:30", "00:00"]),
        (timedelta(hours=11), ["23:00", "00:00", "01:00", "02:00"]),
    ],
    ids=str,
)
def test_a_night_is_told_in_steps_of_a_clock(span: timedelta, times: list[str]) -> None:
    assert told(AT, AT + span)[:4] == times


@given(MOMENTS, st.integers(1, 90 * 3600))
def test_there_are_some_times_and_not_too_many(first: datetime, seconds: int) -> None:
    assert len(told(first, first + timedelta(seconds=seconds))) <= 13


@given(MOMENTS, st.sampled_from([1, 15, 300, 3600]))
def test_ticks_lie_within_and_on_the_clock(first: datetime, step: int) -> None:
    last = first + timedelta(seconds=7 * step)
    found = [*ticks(first, last, timedelta(seconds=step))]
    assert 7 <= len(found) <= 8
    assert all(first <= at <= last for at in found)
    assert all((at.minute * 60 + at.second) % step == 0 for at in found)
