"""The pace of requests, the pace of bytes, and the rests that all requests of a province share."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from asyncio_throttle import throttler
from hypothesis import given, settings
from hypothesis import strategies as st

from subcmc_crawler.province.adapting import Outcome
from subcmc_crawler.province.pacing import LEAST_BUFFER_BYTES, TURNS_YIELDED, BytePace, Due, RequestPace, Rest


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that the throttler follows."""
    made = Clock()
    monkeypatch.setattr(throttler, "time", SimpleNamespace(monotonic=made))
    monkeypatch.setattr(throttler, "asyncio", SimpleNamespace(sleep=made.sleep))
    return made


# ── requests ────────────────────────────────────────────────────────────────────────────────────────────


async def test_requests_are_spaced_and_served_in_order(clock: Clock) -> None:
    pace = RequestPace(2.0, clock=clock, sleep=clock.sleep)
    turns: list[tuple[int, float]] = []

    async def ask(number: int) -> None:
        await pace.turn()
        turns.append((number, clock.now))

    await asyncio.gather(*(ask(number) for number in range(8)))
    assert [number for number, _ in turns] == list(range(8))
    times = [at for _, at in turns]
    assert times[0] == 1000.0, "the first waits for nobody"
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(0.5 <= gap < 0.53 for gap in gaps)


async def test_only_one_waiter_polls(clock: Clock) -> None:
    pace = RequestPace(1.0, clock=clock, sleep=clock.sleep)
    await asyncio.gather(*(pace.turn() for _ in range(6)))
    assert len(clock.slept) <= 10, "one sleep a turn, and hardly a look of the throttler's own, whoever waits"


async def test_a_pause_is_not_saved_up(clock: Clock) -> None:
    pace = RequestPace(2.0, clock=clock, sleep=clock.sleep)
    await pace.turn()
    clock.now += 100
    times = []
    for _ in range(3):
        await pace.turn()
        times.append(clock.now)
    assert times[0] == 1100.0
    assert times[1] - times[0] >= 0.5
    assert times[2] - times[1] >= 0.5


async def test_without_a_limit_nobody_waits(clock: Clock) -> None:
    pace = RequestPace(0, clock=clock, sleep=clock.sleep)
    await asyncio.gather(*(pace.turn() for _ in range(50)))
    assert clock.slept == []


async def test_a_waiter_that_gives_up_does_not_stop_the_queue(clock: Clock) -> None:
    pace = RequestPace(1.0, clock=clock, sleep=clock.sleep)
    turns: list[int] = []

    async def ask(number: int) -> None:
        await pace.turn()
        turns.append(number)

    tasks = [asyncio.create_task(ask(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert turns == [0, 3]


# ── a slower pace ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_busy_province_is_asked_less_often_until_it_recovers(clock: Clock) -> None:
    pace = RequestPace(4.0, clock=clock, sleep=clock.sleep)
    await pace.turn()
    pace.note(Outcome.BUSY, clock.now)
    assert pace.rate == 2.0
    began = clock.now
    await pace.turn()
    assert clock.now - began == pytest.approx(0.5, rel=0.03)
    for _ in range(10):
        pace.note(Outcome.GOOD, clock.now)
    assert pace.rate == 4.0
    assert pace.drain_slowest() == 2.0
    assert pace.drain_slowest() is None


async def test_pages_that_were_in_flight_together_slow_down_once(clock: Clock) -> None:
    pace = RequestPace(16.0, clock=clock, sleep=clock.sleep)
    asked_at = clock.now
    clock.now += 1
    for _ in range(5):
        pace.note(Outcome.BUSY, asked_at)
    assert pace.rate == 8.0
    clock.now += 1
    pace.note(Outcome.BUSY, clock.now)
    assert pace.rate == 4.0
    assert pace.drain_slowest() == 4.0
    assert pace.drain_slowest() == 4.0, "still slowed down in the next walk"


async def test_without_a_limit_it_is_slowed_down_from_the_measured_rate_and_freed_again(clock: Clock) -> None:
    pace = RequestPace(0, clock=clock, sleep=clock.sleep)
    pace.note(Outcome.BUSY, clock.now)
    assert pace.rate == 0, "nothing was measured"
    for _ in range(10):
        await pace.turn()
        clock.now += 0.1
    pace.note(Outcome.BUSY, clock.now)
    assert pace.rate == pytest.approx(5.0)
    for _ in range(10):
        pace.note(Outcome.GOOD, clock.now)
    assert pace.rate == 0
    assert pace.drain_slowest() == pytest.approx(5.0)


async def test_a_request_that_went_out_late_keeps_the_next_one_off(clock: Clock) -> None:
    """Its connection had to be made first: the province counts from when it came."""
    pace = RequestPace(2.0, clock=clock, sleep=clock.sleep)
    await pace.turn()
    clock.now += 0.3
    pace.sent()
    sent = clock.now
    await pace.turn()
    assert 0.5 <= clock.now - sent < 0.53


async def test_a_rate_that_falls_while_somebody_waits_holds_for_him(clock: Clock) -> None:
    pace = RequestPace(1.0, clock=clock, sleep=clock.sleep)
    await pace.turn()

    async def slow_down() -> None:
        pace.note(Outcome.BUSY, clock.now)

    began = clock.now
    await asyncio.gather(pace.turn(), slow_down())
    assert clock.now - began >= 2.0


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────


def test_bytes_are_paid_for_after_they_were_read() -> None:
    clock = Clock()
    pace = BytePace(1_000_000, clock=clock)
    waits = []
    for count in (500_000, 1_000_000, 250_000):
        waits.append(pace.book(count).seconds)
        clock.now += waits[-1]
    assert waits == pytest.approx([0.5 / 0.965, 1 / 0.965, 0.25 / 0.965], abs=0.014)


def test_an_idle_line_is_not_saved_up() -> None:
    clock = Clock()
    pace = BytePace(1000, clock=clock)
    first = pace.book(1000)
    clock.now += 60
    assert pace.book(1000).seconds == pytest.approx(first.seconds)


def test_readers_share_the_line() -> None:
    pace = BytePace(1_000_000, clock=Clock())
    assert [pace.book(965_000).seconds for _ in range(3)] == pytest.approx([1.0, 2.0, 3.0], abs=0.014)


@pytest.mark.parametrize(
    ("limit", "share"), [(50_000, 0.877), (100_000, 0.946), (200_000, 0.965), (10**8, 0.965)]
)
def test_a_small_limit_leaves_room_for_the_smallest_buffers(limit: int, share: float) -> None:
    pace = BytePace(limit, clock=Clock())
    assert pace.book(limit).seconds == pytest.approx(1 / share, abs=0.014)


async def test_a_junior_lets_the_earlier_page_read_first() -> None:
    clock = Clock()
    pace = BytePace(1_000_000, clock=clock)
    pace.book(9_650)
    due = pace.book(9_650)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock.now += seconds
        if len(waits) < 3:
            pace.book(9_650)  # the earlier one read again meanwhile

    await pace.settle(due, sleep, junior=True)
    assert waits == pytest.approx([0.007, 0.011, 0.010], abs=0.002)


async def test_a_junior_does_not_starve_and_an_elder_does_not_yield(clock: Clock) -> None:
    for junior, turns in ((True, 1 + TURNS_YIELDED), (False, 1)):
        pace = BytePace(1_000_000, clock=clock)
        waits: list[float] = []

        async def sleep(seconds: float, pace: BytePace = pace, waits: list[float] = waits) -> None:
            waits.append(seconds)
            clock.now += seconds
            pace.book(96_500)

        await pace.settle(pace.book(96_500), sleep, junior=junior)
        assert len(waits) == turns


async def test_as_many_requests_may_be_out_as_there_are_readers() -> None:
    """All sockets of a run fill their buffers at once when their provinces answer together."""
    pace = BytePace(1_000_000, clock=Clock(), readers=560)
    assert pace.readers == 2
    for _ in range(pace.readers):
        assert not pace.seats.locked()
        await pace.seats.acquire()
    assert pace.seats.locked()


@pytest.mark.parametrize(("limit", "count"), [(0, 10**9), (1000, 0), (10**9, 1000)])
def test_nothing_to_pay_or_next_to_nothing_is_no_wait(limit: int, count: int) -> None:
    assert BytePace(limit, clock=Clock()).book(count) == Due(0.0, 0.0)


def test_a_reader_is_excused_for_its_share_of_the_line_alone() -> None:
    """Whoever drips bytes while others fill the line gets no time for them."""
    pace = BytePace(1_000_000, clock=Clock(), readers=4)
    pace.book(1_000_000)
    drip, page = pace.book(1), pace.book(100_000)
    assert drip.seconds > 1.0
    assert drip.excused_seconds < 1e-4
    assert page.excused_seconds == pytest.approx(2 * 2 * 100_000 / 965_000)
    alone = BytePace(1_000_000, clock=Clock()).book(1_000_000)
    assert alone.excused_seconds == pytest.approx(1 / 0.965, abs=0.014)


@pytest.mark.parametrize("limit", [1, 5000, 100_000, 1_000_000, 10**7, 10**9])
@pytest.mark.parametrize("readers", [1, 2, 16, 560])
def test_all_buffers_together_hold_two_hundredths_of_a_second(limit: int, readers: int) -> None:
    pace = BytePace(limit, clock=Clock(), readers=readers)
    assert 1 <= pace.readers <= readers
    if pace.readers > 1 or pace.buffer_bytes > LEAST_BUFFER_BYTES:  # one smallest buffer must be
        assert 2 * pace.readers * pace.buffer_bytes <= 0.02 * limit


@settings(deadline=None)
@given(
    st.integers(100_000, 10**8),
    st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 2)), min_size=1, max_size=200),
)
def test_no_span_of_a_second_holds_more_than_is_allowed(limit: int, reads: list[tuple[int, float]]) -> None:
    """Reads of up to a hundredth of the limit, one after the other, some after a pause."""
    clock = Clock()
    pace = BytePace(limit, clock=clock)
    read_at: list[tuple[float, int]] = []
    for thousandths, idle in reads:
        clock.now += max(0.0, idle - 1)
        count = limit * thousandths // 100_000
        read_at.append((clock.now, count))
        clock.now += pace.book(count).seconds
    for began, _ in read_at:
        assert sum(count for at, count in read_at if began <= at < began + 1) <= limit * (0.98 + 0.01)


# ── rests ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_without_a_rest_nobody_waits() -> None:
    clock = Clock()
    rest = Rest(clock=clock, away=clock.sleep)
    await rest.over()
    assert (clock.slept, rest.seconds) == ([], 0.0)


async def test_a_rest_ends_when_its_seconds_have_gone_by() -> None:
    clock = Clock()
    rest = Rest(clock=clock, away=clock.sleep)
    rest.extend(600)
    clock.now += 100
    await rest.over()
    await rest.over()
    assert clock.slept == [500]
    assert rest.seconds == 600


async def test_all_waiters_share_one_rest() -> None:
    clock = Clock()
    rest = Rest(clock=clock, away=clock.sleep)
    rest.extend(10)
    await asyncio.gather(*(rest.over() for _ in range(5)))
    assert clock.slept == [10]


async def test_a_shorter_rest_does_not_end_a_longer_one() -> None:
    clock = Clock()
    rest = Rest(clock=clock, away=clock.sleep)
    rest.extend(60)
    rest.extend(5)
    await rest.over()
    assert clock.now == 1060
    assert rest.seconds == 60


async def test_rests_that_overlap_are_counted_once() -> None:
    clock = Clock()
    rest = Rest(clock=clock, away=clock.sleep)
    rest.extend(60)
    clock.now += 20
    rest.extend(60)
    assert rest.seconds == 80
    clock.now += 200
    rest.extend(1)
    assert rest.seconds == 81


async def test_a_rest_that_grows_while_somebody_waits_holds_for_him_too() -> None:
    clock = Clock()
    grown = False

    async def away(seconds: float) -> None:
        nonlocal grown
        if not grown:
            grown = True
            rest.extend(60)
        await clock.sleep(seconds)

    rest = Rest(clock=clock, away=away)
    rest.extend(10)
    await rest.over()
    assert clock.now == 1060
    assert clock.slept == [10, 50]


async def test_a_rest_that_is_cut_short_ends() -> None:
    """`away` comes back early when the run stops; nobody may wait on."""
    clock = Clock()
    waits: list[float] = []

    async def away(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 10

    rest = Rest(clock=clock, away=away)
    rest.extend(600)
    await rest.over()
    assert waits == [600]
