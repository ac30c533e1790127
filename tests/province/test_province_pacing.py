"""The pace of requests, the pace of bytes, and the rests that all requests of a province share."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from asyncio_throttle import throttler
from hypothesis import given, settings
from hypothesis import strategies as st

from subcmc_crawler.province.pacing import BytePace, RequestPace, Rest


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
    pace = RequestPace(2.0)
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
    pace = RequestPace(1.0)
    await asyncio.gather(*(pace.turn() for _ in range(6)))
    assert len(clock.slept) <= 5 * 102, "five periods of a second, a look each 10 ms, whoever waits"


async def test_a_pause_is_not_saved_up(clock: Clock) -> None:
    pace = RequestPace(2.0)
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
    pace = RequestPace(0)
    await asyncio.gather(*(pace.turn() for _ in range(50)))
    assert clock.slept == []


async def test_a_waiter_that_gives_up_does_not_stop_the_queue(clock: Clock) -> None:
    pace = RequestPace(1.0)
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


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_bytes_are_paid_for_after_they_were_read() -> None:
    clock = Clock()
    pace = BytePace(100, clock=clock, sleep=clock.sleep)
    for count in (50, 100, 25):
        await pace.spend(count)
    assert clock.slept == pytest.approx([0.5, 1.0, 0.25])


async def test_an_idle_line_is_not_saved_up() -> None:
    clock = Clock()
    pace = BytePace(100, clock=clock, sleep=clock.sleep)
    await pace.spend(100)
    clock.now += 60
    await pace.spend(100)
    assert clock.slept == pytest.approx([1.0, 1.0])


async def test_readers_share_the_line() -> None:
    clock = Clock()
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    pace = BytePace(100, clock=clock, sleep=note)
    for _ in range(3):
        await pace.spend(100)
    assert waits == pytest.approx([1.0, 2.0, 3.0])


@pytest.mark.parametrize(("limit", "count"), [(0, 10**9), (100, 0)])
async def test_nothing_to_pay_is_no_sleep(limit: int, count: int) -> None:
    clock = Clock()
    await BytePace(limit, clock=clock, sleep=clock.sleep).spend(count)
    assert clock.slept == []


@settings(deadline=None)
@given(
    st.integers(1, 10**9),
    st.lists(st.tuples(st.integers(0, 10**7), st.floats(0, 100)), min_size=1, max_size=20),
)
def test_no_more_bytes_than_allowed_in_any_time(limit: int, reads: list[tuple[int, float]]) -> None:
    clock = Clock()
    pace = BytePace(limit, clock=clock, sleep=clock.sleep)
    began = clock.now

    async def read() -> None:
        for count, idle in reads:
            clock.now += idle
            await pace.spend(count)

    asyncio.run(read())
    total = sum(count for count, _ in reads)
    assert (clock.now - began) * limit >= total * (1 - 1e-6) - 1e-3 * limit
    assert clock.now - began <= total / limit + sum(idle for _, idle in reads) + 1e-3


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
