"""How fast a busy or slow province is asked: a test for each row of the table, and what holds for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.adapting import Latency, Outcome, next_rate, of_fault


@pytest.mark.parametrize(
    ("row", "rate", "outcome", "stale", "expected"),
    [
        (1, 3.0, Outcome.OTHER, False, 3.0),
        (1, 3.0, Outcome.OTHER, True, 3.0),
        (2, 3.0, Outcome.BUSY, True, 3.0),
        (2, 3.0, Outcome.SLOW, True, 3.0),
        (3, 8.0, Outcome.BUSY, False, 4.0),
        (3, 0.6, Outcome.BUSY, False, 0.5),
        (4, 8.0, Outcome.SLOW, False, 6.4),
        (4, 0.6, Outcome.SLOW, False, 0.5),
        (5, 3.0, Outcome.GOOD, False, 3.4),
        (5, 3.0, Outcome.GOOD, True, 3.4),
        (5, 7.9, Outcome.GOOD, False, 8.0),
    ],
)
def test_row(row: int, rate: float, outcome: Outcome, stale: bool, expected: float) -> None:
    assert next_rate(rate, outcome, setting=8.0, stale=stale) == pytest.approx(expected), row


@given(
    st.floats(0.01, 1000),
    st.lists(st.tuples(st.sampled_from(Outcome), st.booleans()), max_size=60),
)
def test_a_rate_stays_between_a_sixteenth_and_the_setting_and_comes_back(
    setting: float, outcomes: list[tuple[Outcome, bool]]
) -> None:
    rate = setting
    for outcome, stale in outcomes:
        rate = next_rate(rate, outcome, setting=setting, stale=stale)
        assert setting / 16 <= rate <= setting
    for _ in range(20):
        rate = next_rate(rate, Outcome.GOOD, setting=setting)
    assert rate == setting


@pytest.mark.parametrize("status", [408, 429, 503, 509])
def test_what_asks_for_patience_is_busy(status: int) -> None:
    assert of_fault(Refused("x", "", status=status)) is Outcome.BUSY


@pytest.mark.parametrize(
    "fault",
    [
        Refused("x", "", status=500),
        Refused("x", "", status=404),
        Unreachable("timeout", ""),
        Malformed("not-json", ""),
        TooLarge("too-large", ""),
    ],
)
def test_other_faults_say_nothing_about_the_pace(fault: Fault) -> None:
    assert of_fault(fault) is Outcome.OTHER


def known(seconds: float, count: int = 16) -> Latency:
    latency = Latency()
    for _ in range(count):
        latency = latency.after(seconds)
    return latency


@pytest.mark.parametrize(
    ("latency", "seconds", "outcome"),
    [
        (known(0.2), 0.61, Outcome.SLOW),
        (known(0.2), 0.59, Outcome.GOOD),
        (known(0.01), 0.4, Outcome.GOOD),  # late, and still fast
        (known(0.01), 0.51, Outcome.SLOW),
        (known(0.2, 7), 60.0, Outcome.GOOD),  # too few to know
        (Latency(), 60.0, Outcome.GOOD),
    ],
)
def test_an_answer_is_late_by_what_is_usual(latency: Latency, seconds: float, outcome: Outcome) -> None:
    assert latency.outcome(seconds) is outcome


def test_a_lasting_change_becomes_usual() -> None:
    latency = known(0.2)
    late = 0
    while latency.outcome(2.0) is Outcome.SLOW and late <= 40:
        latency, late = latency.after(2.0), late + 1
    assert 3 <= late <= 40
