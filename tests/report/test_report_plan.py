"""The night beforehand, as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.report.lines import width_of
from subcmc_crawler.report.text_plan import to_plan_text
from subcmc_crawler.schedule import PlannedPull, Window, plan

NOW = datetime.fromisoformat("2026-03-04T00:30:00+08:00")
NAMES = {"440000": "广东省", "150000": "内蒙古自治区", "620000": "甘肃省"}


def pulls(
    durations: Mapping[str, float], window: str = "01:00-03:00", **slots: int
) -> tuple[PlannedPull, ...]:
    windows = dict.fromkeys(NAMES, Window.parse(window))
    return plan(windows, durations, NOW, max_provinces=slots.get("slots", 8), share=0.75)


def text_of(planned: tuple[PlannedPull, ...], lang: str = "en", **more: int) -> str:
    return to_plan_text(planned, names=NAMES, zone="Asia/Shanghai", max_provinces=8, lang=lang, **more)


def test_the_night_in_english() -> None:
    assert text_of(pulls({"440000": 3000.0, "620000": 600.0})).splitlines() == [
        "Plan for 2026-03-04 01:00 to 2026-03-04 03:00, Asia/Shanghai",
        "3 provinces, at most 8 at once",
        "",
        "  province      cmcId   window          start  slot wait     duration       end",
        "  广东省        440000  01:00-03:00  01:00:00          -   50 min 0 s  01:50:00",
        "  内蒙古自治区  150000  01:00-03:00  01:45:00          -  ~30 min 0 s  02:15:00",
        "  甘肃省        620000  01:00-03:00  02:30:00          -   10 min 0 s  02:40:00",
        "",
        "~ was never pulled in a whole run: the median of the others",
        "",
        "Provinces at once, the most in each quarter of an hour",
        "  01:00  # 1",
        "  01:15  # 1",
        "  01:30  # 1",
        "  01:45  ## 2",
        "  02:00  # 1",
        "  02:15   0",
        "  02:30  # 1",
        "  02:45   0",
    ]


def test_who_comes_too_late_is_warned_of_and_waits_are_told() -> None:
    shown = text_of(pulls(dict.fromkeys(NAMES, 5400.0), slots=1))
    lines = shown.splitlines()
    assert sum("Warning" in line for line in lines) == 2
    assert "1 h 15 min" in shown


def test_a_night_longer_than_a_day_has_dates_and_its_quiet_hours_are_one_line() -> None:
    windows = {"440000": Window.parse("01:00-01:30"), "620000": Window.parse("00:15-01:15")}
    planned = plan(
        windows, {"440000": 60.0, "620000": 60.0}, NOW.replace(hour=1, minute=20), max_provinces=8, share=1
    )
    lines = text_of(planned).splitlines()
    assert [line for line in lines if line.startswith("  03-")] == [
        "  03-04 01:00  # 1",
        "  03-04 01:15  ...",
        "  03-05 00:15  # 1",
        "  03-05 00:30  ...",
    ]


@pytest.mark.parametrize(("lang", "says"), [("en", "No whole run"), ("zh", "尚无已完成")])
def test_without_a_past_nothing_is_forecast(lang: str, says: str) -> None:
    shown = text_of(pulls({}), lang)
    assert says in shown
    assert "#" not in shown
    assert text_of((), lang).count("\n") == 1


@given(
    st.dictionaries(st.sampled_from(sorted(NAMES)), st.floats(0, 10_000)),
    st.sampled_from(["zh", "en"]),
    st.sampled_from(["01:00-03:00", "23:00-01:00", "03:00-03:00"]),
    st.integers(60, 100),
)
def test_no_line_is_wider_than_the_terminal(
    durations: dict[str, float], lang: str, window: str, width: int
) -> None:
    for line in text_of(pulls(durations, window), lang, width=width).splitlines():
        assert width_of(line) <= width


def test_a_load_of_thousands_still_fits() -> None:
    window = Window.parse("01:00-01:15")
    windows = {f"{number:06}": window for number in range(3000)}
    planned = plan(windows, dict.fromkeys(windows, 60.0), NOW, max_provinces=10_000, share=0)
    shown = to_plan_text(
        planned, names=dict.fromkeys(windows, "甘肃省"), zone="UTC", max_provinces=1, lang="en"
    )
    assert max(width_of(line) for line in shown.splitlines()) <= 100
    assert "# 3000" in shown
