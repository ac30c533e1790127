"""Windows: the hours in which a province may be asked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from subcmc_crawler.schedule import Window

MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
WINDOWS = st.builds(Window, MINUTES, MINUTES)
ZONES = st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-9, minutes=-30))])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 30), timezones=ZONES)  # noqa: DTZ001
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-04T{text}+08:00")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("01:00-05:30", "01:00-05:30"),
        (" 22:00 - 04:00 ", "22:00-04:00"),
        ("00:00-23:59", "00:00-23:59"),
        ("03:00-03:00", "03:00-03:00"),
    ],
)
def test_a_window_is_written_as_it_is_read(text: str, written: str) -> None:
    assert str(Window.parse(text)) == written


@given(WINDOWS)
@settings(deadline=None)
def test_every_window_can_be_written_and_read(window: Window) -> None:
    assert Window.parse(str(window)) == window


@pytest.mark.parametrize(
    "text",
    ["", "01:00", "1:00-5:00", "01:00-05:30-06:00", "01-05", "01:00–05:30", "at night", "01:00-05:30:00"],
)
def test_what_is_no_window_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r'written "HH:MM-HH:MM"'):
        Window.parse(text)


@pytest.mark.parametrize("text", ["24:00-05:00", "01:00-24:00", "01:60-05:00", "01:00-05:99"])
def test_what_is_no_time_of_day_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match=f'"{text}" is not a time of day'):
        Window.parse(text)


@pytest.mark.parametrize(
    ("text", "moment", "is_open"),
    [
        ("01:00-05:30", "00:59:59.999999", False),
        ("01:00-05:30", "01:00:00", True),
        ("01:00-05:30", "05:29:59.999999", True),
        ("01:00-05:30", "05:30:00", False),
        ("22:00-04:00", "21:59:59", False),
        ("22:00-04:00", "22:00:00", True),
        ("22:00-04:00", "23:59:59", True),
        ("22:00-04:00", "00:00:00", True),
        ("22:00-04:00", "03:59:59", True),
        ("22:00-04:00", "04:00:00", False),
        ("22:00-00:00", "23:59:59", True),
        ("22:00-00:00", "00:00:00", False),
        ("03:00-03:00", "02:59:59", True),
        ("03:00-03:00", "03:00:00", True),
    ],
)
def test_a_window_is_open_from_its_start_up_to_its_end(text: str, moment: str, is_open: bool) -> None:
    assert Window.parse(text).is_open(at(moment)) is is_open


@pytest.mark.parametrize(
    ("text", "moment", "opens", "closes"),
    [
        ("01:00-05:30", "00:30:00", at("01:00:00"), at("05:30:00")),
        ("01:00-05:30", "01:00:00", at("01:00:00"), at("05:30:00")),
        ("01:00-05:30", "05:30:00", at("01:00:00") + DAY, at("05:30:00") + DAY),
        ("01:00-05:30", "12:00:00.5", at("01:00:00") + DAY, at("05:30:00") + DAY),
        ("22:00-04:00", "12:00:00", at("22:00:00"), at("04:00:00") + DAY),
        ("22:00-04:00", "23:00:00", at("23:00:00"), at("04:00:00") + DAY),
        ("22:00-04:00", "03:00:00", at("03:00:00"), at("04:00:00")),
        ("22:00-04:00", "04:00:00", at("22:00:00"), at("04:00:00") + DAY),
        ("03:00-03:00", "12:00:00", at("12:00:00"), at("03:00:00") + DAY),
        ("03:00-03:00", "03:00:00", at("03:00:00"), at("03:00:00") + DAY),
    ],
)
def test_when_a_window_opens_and_closes(text: str, moment: str, opens: datetime, closes: datetime) -> None:
    window = Window.parse(text)
    assert window.opens_at(at(moment)) == opens
    assert window.closes_at(at(moment)) == closes


@settings(deadline=None)
@given(WINDOWS, MOMENTS)
@example(Window.parse("22:00-04:00"), datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
def test_the_opening_is_the_first_open_moment_from_now_on(window: Window, now: datetime) -> None:
    opens = window.opens_at(now)
    assert window.is_open(opens)
    assert now <= opens < now + DAY
    if opens > now:
        assert not window.is_open(now)
        assert not window.is_open(opens - TICK)
        assert not window.is_open(now + (opens - now) / 2)
        assert (opens.second, opens.microsecond) == (0, 0)


@settings(deadline=None)
@given(WINDOWS, MOMENTS)
def test_the_closing_is_the_first_end_after_now(window: Window, now: datetime) -> None:
    closes = window.closes_at(now)
    assert now < closes <= now + DAY
    assert closes.time() == window.end
    assert window.is_open(closes - TICK)
    assert window.is_open(closes) == (window.start == window.end)


@settings(deadline=None)
@given(WINDOWS, MOMENTS)
def test_from_the_opening_to_the_closing_it_stays_open(window: Window, now: datetime) -> None:
    opens = window.opens_at(now)
    closes = window.closes_at(opens)
    for share in (0, 0.25, 0.5, 0.75):
        assert window.is_open(opens + (closes - opens) * share)


@settings(deadline=None)
@given(WINDOWS, MOMENTS)
def test_the_edges_of_a_window_are_met_exactly(window: Window, now: datetime) -> None:
    opening = now.replace(hour=window.start.hour, minute=window.start.minute, second=0, microsecond=0)
    assert window.opens_at(opening) == opening
    if window.start != window.end:
        assert window.opens_at(opening - TICK) == opening
        closing = now.replace(hour=window.end.hour, minute=window.end.minute, second=0, microsecond=0)
        assert window.closes_at(closing - TICK) == closing
        assert window.closes_at(closing) == closing + DAY
        assert window.opens_at(closing) > closing


@settings(deadline=None)
@given(WINDOWS, MOMENTS)
def test_the_last_opening_is_within_a_day_and_begins_an_open_time(window: Window, now: datetime) -> None:
    opened = window.opened_at(now)
    assert now - DAY < opened <= now
    assert opened.time() == window.start
    assert window.is_open(opened)
    if window.is_open(now):
        assert all(window.is_open(opened + (now - opened) * share) for share in (0.25, 0.5, 0.75))


@pytest.mark.parametrize(
    ("text", "moment", "opened"),
    [
        ("01:00-05:30", "01:00:00", at("01:00:00")),
        ("01:00-05:30", "00:59:59", at("01:00:00") - DAY),
        ("22:00-04:00", "03:00:00", at("22:00:00") - DAY),
        ("22:00-04:00", "12:00:00", at("22:00:00") - DAY),
    ],
)
def test_when_a_window_opened_last(text: str, moment: str, opened: datetime) -> None:
    assert Window.parse(text).opened_at(at(moment)) == opened
