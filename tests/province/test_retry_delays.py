"""The decision table of `retrying.next_delay()`, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.retrying import BUSY, next_delay
from subcmc_crawler.province.settings import PullSettings

SIX_HOURS = 6 * 3600.0


def delay(
    fault: Fault, number: int = 1, *, max_attempts: int = 5, cool_down_seconds: float = 600
) -> float | None:
    pull = PullSettings(cool_down_seconds=cool_down_seconds)
    return next_delay(number, fault, pull, max_attempts=max_attempts)


def refused(status: int, retry_after_seconds: float | None = None) -> Refused:
    return Refused(f"http-{status}", "", status=status, retry_after_seconds=retry_after_seconds)


BAD_CODE = Refused("code", "code 1001", status=200)
NO_ENVELOPE = Malformed("not-json", "")
DROPPED = Unreachable("disconnected", "")
TIMED_OUT = Unreachable("timeout", "")
TOO_LARGE = TooLarge("too-large", "")


def test_row_1_a_body_that_was_too_large_is_not_asked_for_again() -> None:
    assert delay(TOO_LARGE) is None


@pytest.mark.parametrize("fault", [refused(503), refused(500), DROPPED, TIMED_OUT, BAD_CODE, NO_ENVELOPE])
def test_row_2_after_the_last_attempt_there_is_none(fault: Fault) -> None:
    assert delay(fault, 4) is not None
    assert delay(fault, 5) is None
    assert delay(fault, 6) is None


def test_row_2_one_attempt_may_be_all() -> None:
    assert delay(DROPPED, 1, max_attempts=1) is None


def test_row_2_comes_before_row_3() -> None:
    assert delay(refused(503, 7), 5) is None


@pytest.mark.parametrize("status", [408, 429, 503, 509])
def test_row_3_a_busy_province_cools_down(status: int) -> None:
    assert delay(refused(status)) == 600
    assert delay(refused(status), 4, cool_down_seconds=30) == 30


@pytest.mark.parametrize("status", sorted(BUSY))
def test_row_3_what_the_province_asked_for_wins(status: int) -> None:
    assert delay(refused(status, 7)) == 7
    assert delay(refused(status, 0)) == 0
    assert delay(refused(status, 900)) == 900


def test_row_3_no_rest_is_longer_than_the_night() -> None:
    assert delay(refused(503, 86_400)) == SIX_HOURS
    assert delay(refused(503, float("inf"))) == SIX_HOURS
    assert delay(refused(503), cool_down_seconds=86_400) == SIX_HOURS


@pytest.mark.parametrize("status", [408, 429])
def test_row_3_comes_before_row_4(status: int) -> None:
    assert 300 <= status < 500
    assert delay(refused(status)) == 600


@pytest.mark.parametrize("status", [503, 509])
def test_row_3_comes_before_row_7(status: int) -> None:
    assert delay(refused(status), 2) == 600
    assert delay(refused(500), 2) == 2


@pytest.mark.parametrize("status", [300, 302, 304, 400, 401, 403, 404, 410, 499])
def test_row_4_asking_again_mends_nothing(status: int) -> None:
    assert delay(refused(status)) is None
    assert delay(refused(status, 5)) is None


def test_row_5_a_dropped_connection_may_only_have_been_stale() -> None:
    assert delay(DROPPED, 1) == 1


def test_row_5_not_longer_than_the_cool_down() -> None:
    assert delay(DROPPED, 1, cool_down_seconds=0.25) == 0.25


def test_row_5_comes_before_row_6() -> None:
    assert delay(DROPPED, 1) == 1
    assert delay(DROPPED, 2) == 600


@pytest.mark.parametrize("kind", ["connect", "timeout", "tls"])
@pytest.mark.parametrize("number", [1, 4])
def test_row_6_a_connection_that_failed_cools_down(kind: str, number: int) -> None:
    assert delay(Unreachable(kind, ""), number) == 600


@pytest.mark.parametrize(
    "fault", [refused(500), refused(502), refused(204), refused(999), BAD_CODE, NO_ENVELOPE]
)
def test_row_7_the_rest_is_asked_for_again_later_and_later(fault: Fault) -> None:
    assert [delay(fault, number) for number in (1, 2, 3, 4)] == [1, 2, 4, 8]


def test_row_7_at_most_the_cool_down() -> None:
    assert [delay(BAD_CODE, number, cool_down_seconds=3) for number in (1, 2, 3)] == [1, 2, 3]


FAULTS = st.one_of(
    st.builds(refused, st.integers(100, 999), st.none() | st.floats(0, 1e9)),
    st.sampled_from([BAD_CODE, NO_ENVELOPE, DROPPED, TIMED_OUT, TOO_LARGE]),
)


@settings(deadline=None)
@given(FAULTS, st.integers(1, 5000), st.integers(1, 5000), st.floats(0, 1e6))
def test_a_delay_is_a_number_of_seconds_within_a_night(
    fault: Fault, number: int, max_attempts: int, cool_down_seconds: float
) -> None:
    seconds = delay(fault, number, max_attempts=max_attempts, cool_down_seconds=cool_down_seconds)
    if number >= max_attempts:
        assert seconds is None
    if seconds is not None:
        assert 0 <= seconds <= max(SIX_HOURS, cool_down_seconds)


def test_the_thousandth_attempt_can_be_waited_for() -> None:
    assert delay(BAD_CODE, 1100, max_attempts=2000, cool_down_seconds=0) == 0
