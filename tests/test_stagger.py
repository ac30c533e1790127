"""Stagger: when the provinces of a night start, and how many of them run at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.schedule import PlannedPull, Window, busiest, gap_seconds, load, plan

HOUR = 3600.0
NIGHT = Window.parse("01:00-05:30")
WINDOWS = st.builds(Window, *[st.builds(time, st.integers(0, 23), st.integers(0, 59))] * 2)
ZONES = st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-9, minutes=-30))])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 12, 30), timezones=ZONES)  # noqa: DTZ001
SECONDS = st.floats(0, 30 * HOUR)
PROVINCES = st.dictionaries(st.from_regex(r"[0-9]{6}", fullmatch=True), WINDOWS, min_size=1, max_size=40)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-04T{text}+08:00")


def planned(
    windows: Mapping[str, Window],
    durations: Mapping[str, float] | None = None,
    *,
    now: datetime | None = None,
    max_provinces: int = 8,
    share: float = 0.75,
) -> tuple[PlannedPull, ...]:
    return plan(windows, durations or {}, now or at("00:30"), max_provinces=max_provinces, share=share)


# ── the table of gap_seconds ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("forecasts", "share"), [([], 0.75), ([HOUR], 0.75), ([HOUR, HOUR], 0.0)])
def test_row_1_nothing_to_spread(forecasts: list[float], share: float) -> None:
    assert gap_seconds(forecasts, length_seconds=4 * HOUR, share=share) == 0


@pytest.mark.parametrize(
    ("forecasts", "share", "gap"),
    [
        ([0.0, 0.0, 0.0], 1.0, 2 * HOUR),
        ([HOUR, HOUR, HOUR], 0.75, 1.5 * HOUR),  # the last one starts an hour before the end
        ([9 * HOUR, HOUR, HOUR], 0.75, 1.5 * HOUR),  # the first one starts at the opening whatever it lasts
        ([9 * HOUR, 8 * HOUR, HOUR], 0.75, 1.5 * HOUR),  # what no start could save is left out
        ([0.0, 0.0], 0.5, 2 * HOUR),
        ([0.0] * 8, 0.75, 1542.0),  # 1542.857 cut to whole seconds
    ],
)
def test_row_2_spread_over_the_whole_share(forecasts: list[float], share: float, gap: float) -> None:
    assert gap_seconds(forecasts, length_seconds=4 * HOUR, share=share) == gap


@pytest.mark.parametrize(
    ("forecasts", "gap"),
    [
        ([2 * HOUR, 2 * HOUR, 2 * HOUR], HOUR),  # the last one starts at half time
        ([3 * HOUR, 3.5 * HOUR, 1.0], 0.5 * HOUR),  # the second one decides
        ([4 * HOUR, 4 * HOUR], 0.0),
    ],
)
def test_row_3_room_for_what_comes_late(forecasts: list[float], gap: float) -> None:
    assert gap_seconds(forecasts, length_seconds=4 * HOUR, share=0.75) == gap


def test_a_gap_below_a_second_is_left_exact() -> None:
    assert gap_seconds([0.0] * 101, length_seconds=60, share=0.75) == 0.45


@given(st.lists(SECONDS, min_size=2, max_size=40), st.floats(60, 24 * HOUR), st.floats(0, 1))
def test_whatever_could_end_in_the_window_does(forecasts: list[float], length: float, share: float) -> None:
    forecasts.sort(reverse=True)
    gap = gap_seconds(forecasts, length_seconds=length, share=share)
    assert 0 <= gap * (len(forecasts) - 1) <= length * share + 1e-6
    for rank, seconds in enumerate(forecasts):
        assert seconds > length or rank * gap + seconds <= length + 1e-6


# ── the plan ────────────────────────────────────────────────────────────────────────────────────────────


def test_35_provinces_in_one_window_start_at_even_gaps() -> None:
    windows = {f"{number}0000": NIGHT for number in range(35)}
    pulls = planned(windows, {cmc_id: 60.0 * number for number, cmc_id in enumerate(windows)})
    gaps = [(after.start - before.start).total_seconds() for before, after in pairwise(pulls)]
    assert len(gaps) == 34
    assert max(gaps) - min(gaps) < 1
    assert gaps[0] == int(4.5 * HOUR * 0.75 / 34)
    assert pulls[0].start == at("01:00")
    assert all(pull.fits for pull in pulls)


def test_the_longest_starts_first_and_of_equal_ones_the_smaller_cmc_id() -> None:
    windows = dict.fromkeys(["d", "c", "b", "a"], NIGHT)
    pulls = planned(windows, {"a": 10.0, "b": 30.0, "c": 10.0, "d": 20.0})
    assert [pull.cmc_id for pull in pulls] == ["b", "d", "a", "c"]


def test_a_province_without_a_past_takes_the_median_of_the_others() -> None:
    windows = dict.fromkeys("abcd", NIGHT)
    pulls = {each.cmc_id: each for each in planned(windows, {"a": 10.0, "b": 50.0, "c": 20.0, "x": 1e9})}
    assert pulls["d"].forecast_seconds == 20
    assert [pulls[name].estimated for name in "abcd"] == [False, False, False, True]


def test_without_any_past_starts_are_even_and_nothing_is_forecast() -> None:
    pulls = planned(dict.fromkeys("abc", NIGHT))
    assert [f"{pull.start:%H:%M:%S}" for pull in pulls] == ["01:00:00", "02:41:15", "04:22:30"]
    assert {(pull.forecast_seconds, pull.forecast_end, pull.fits) for pull in pulls} == {(None, None, True)}
    assert load(pulls) == ()


def test_each_window_is_spread_by_itself_also_across_midnight() -> None:
    late = Window.parse("22:00-02:00")
    pulls = planned({"a": NIGHT, "b": late, "c": NIGHT, "d": late}, now=at("23:00"), share=0.5)
    assert [(pull.cmc_id, f"{pull.start:%d %H:%M}") for pull in pulls] == [
        ("b", "04 22:00"),
        ("d", "05 00:00"),
        ("a", "05 01:00"),
        ("c", "05 03:15"),
    ]
    assert {f"{pull.closing:%d %H:%M}" for pull in pulls} == {"05 02:00", "05 05:30"}


def test_a_run_that_begins_late_finds_the_same_starts() -> None:
    windows = dict.fromkeys("abc", NIGHT)
    known = {"a": 1.0, "b": 2.0}
    assert planned(windows, known) == planned(windows, known, now=at("05:29:59"))
    tomorrow = planned(windows, known, now=at("05:30"))
    assert [each.start - timedelta(days=1) for each in tomorrow] == [
        each.start for each in planned(windows, known)
    ]


@given(PROVINCES, st.data(), MOMENTS, st.integers(1, 10), st.floats(0, 1))
def test_plans_are_even_within_their_windows_longest_first(
    windows: dict[str, Window], data: st.DataObject, now: datetime, slots: int, share: float
) -> None:
    some = data.draw(st.lists(st.sampled_from(sorted(windows)), unique=True))
    durations = {cmc_id: data.draw(SECONDS) for cmc_id in some}
    pulls = plan(windows, durations, now, max_provinces=slots, share=share)
    assert pulls == plan(windows, durations, now, max_provinces=slots, share=share)
    assert pulls == plan(dict(reversed(windows.items())), durations, now, max_provinces=slots, share=share)
    assert sorted(pull.cmc_id for pull in pulls) == sorted(windows)
    assert [pull.start for pull in pulls] == sorted(pull.start for pull in pulls)
    for window in set(windows.values()):
        mine = [pull for pull in pulls if pull.window == window]
        assert {(pull.opening, pull.closing) for pull in mine} == {(mine[0].opening, mine[0].closing)}
        assert mine[0].start == mine[0].opening
        assert mine[0].closing > now
        assert mine[0].opening <= now or mine[0].opening - now <= timedelta(days=1)
        assert all(pull.opening <= pull.start < pull.closing or share == 1 for pull in mine)
        gaps = [(after.start - before.start).total_seconds() for before, after in pairwise(mine)]
        assert not gaps or max(gaps) - min(gaps) < 1
        lasting = [pull.forecast_seconds or 0.0 for pull in mine]
        assert not durations or gaps == [0.0] * len(gaps) or lasting == sorted(lasting, reverse=True)


# ── slots and load ──────────────────────────────────────────────────────────────────────────────────────


def test_a_start_waits_until_a_slot_is_free() -> None:
    pulls = planned(dict.fromkeys("abcd", NIGHT), dict.fromkeys("abcd", HOUR), max_provinces=2, share=0.0)
    assert [f"{pull.start:%H:%M}" for pull in pulls] == ["01:00"] * 4
    assert [f"{pull.begin:%H:%M}" for pull in pulls] == ["01:00", "01:00", "02:00", "02:00"]
    assert [f"{pull.forecast_end:%H:%M}" for pull in pulls] == ["02:00", "02:00", "03:00", "03:00"]
    assert load(pulls) == ((at("01:00"), 2), (at("03:00"), 0))


def test_what_ends_after_the_closing_does_not_fit_and_gives_its_slot_back_at_the_closing() -> None:
    windows = {"a": NIGHT, "b": NIGHT, "c": Window.parse("05:00-06:00")}
    pulls = planned(windows, {"a": 5 * HOUR, "b": HOUR, "c": 60.0}, max_provinces=1)
    assert [(pull.cmc_id, pull.fits) for pull in pulls] == [("a", False), ("b", False), ("c", True)]
    assert [f"{pull.begin:%H:%M}" for pull in pulls] == ["01:00", "05:30", "05:30"]
    assert load(pulls) == ((at("01:00"), 1), (at("05:31"), 0))


def test_the_load_of_each_quarter_is_the_most_that_runs_in_it() -> None:
    window = Window.parse("01:10-02:00")
    pulls = planned(dict.fromkeys("abc", window), {"a": 1200.0, "b": 600.0, "c": 60.0}, share=0.6)
    assert load(pulls) == (
        (at("01:10"), 1),
        (at("01:25"), 2),
        (at("01:30"), 1),
        (at("01:35"), 0),
        (at("01:40"), 1),
        (at("01:41"), 0),
    )
    assert [(f"{mark:%H:%M}", most) for mark, most in busiest(pulls)] == [
        ("01:00", 1),
        ("01:15", 2),
        ("01:30", 1),
        ("01:45", 0),
    ]
    assert busiest(()) == ()


@given(PROVINCES, st.data(), MOMENTS, st.integers(1, 10), st.floats(0, 1))
def test_never_more_run_than_there_are_slots(
    windows: dict[str, Window], data: st.DataObject, now: datetime, slots: int, share: float
) -> None:
    durations = {cmc_id: data.draw(SECONDS) for cmc_id in windows}
    pulls = plan(windows, durations, now, max_provinces=slots, share=share)
    steps = load(pulls)
    assert all(0 <= running <= slots for _, running in steps)
    assert not steps or steps[-1][1] == 0
    assert [moment for moment, _ in steps] == sorted({moment for moment, _ in steps})
    for pull in pulls:
        assert pull.begin >= pull.start
        assert pull.forecast_end is not None
        assert abs((pull.forecast_end - pull.begin).total_seconds() - durations[pull.cmc_id]) < 1e-3
        assert pull.fits == (pull.begin < pull.closing and pull.forecast_end <= pull.closing)
    assert max((most for _, most in busiest(pulls)), default=0) == max((n for _, n in steps), default=0)
