"""Asking for a page: again when that makes sense, in pace, with rests, and every attempt noted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from subcmc_crawler.errors import Fault, Malformed, Refused, TooLarge, Unreachable
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asked, Asker, Halted
from subcmc_crawler.province.client import Fetched, ProvinceClient
from subcmc_crawler.province.pacing import Rest
from subcmc_crawler.province.settings import DatasetSettings, PullSettings
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope

ADDRESS = Address.parse("http://h:1/x", "https")
BEGAN = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
GOOD = Fetched(Envelope(0, "", 0, [], ()), 200, 123, 45.678)
DROPPED = Unreachable("disconnected", "dropped")
Outcome = Fetched | Fault


def busy(status: int = 503, retry_after_seconds: float | None = None) -> Refused:
    return Refused(f"http-{status}", "busy", status=status, retry_after_seconds=retry_after_seconds)


class Scene:
    """An asker over a scripted client, with a clock that only rests move."""

    def __init__(self, outcomes: Sequence[Outcome], **settings: Any) -> None:
        self.outcomes = list(outcomes)
        self.seconds = 0.0
        self.calls: list[tuple[int, float]] = []  # page and time of each request
        self.halted = False
        self.connections = 64
        self.seats: list[asyncio.Semaphore] = []
        self.on_sent: Callable[[], None] = lambda: None
        self.rests: list[float] = []
        self.before: Callable[[int], None] = lambda number: None
        self.settings = PullSettings(**{"requests_per_second": 0, **settings})
        self.asker = Asker(
            cast(ProvinceClient, self),
            self.settings,
            rest=Rest(clock=lambda: self.seconds, away=self._away),
            halted=lambda: self.halted,
            now=lambda: BEGAN + timedelta(seconds=self.seconds),
        )

    async def _away(self, seconds: float) -> None:
        self.rests.append(seconds)
        await asyncio.sleep(0)
        self.seconds += seconds

    async def fetch(
        self, address: Address, _dataset: object, page_num: int, _size: int, **more: Any
    ) -> Fetched:
        assert address == ADDRESS
        assert more == {"timeout_seconds": 60.0}
        self.calls.append((page_num, self.seconds))
        self.before(len(self.calls))
        outcome = self.outcomes.pop(0)
        await asyncio.sleep(0)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    async def ask(self, page_num: int = 1, **settings: Any) -> Asked:
        return await self.asker.page(
            DATASETS["ua_org"],
            DatasetSettings(**settings),
            address=ADDRESS,
            walk_pass=2,
            page_num=page_num,
            page_size=1000,
        )


async def test_a_good_page_is_one_attempt() -> None:
    scene = Scene([GOOD])
    asked = await scene.ask(7)
    assert asked == Asked(GOOD, 1, BEGAN)
    (attempt,) = scene.asker.drain()
    assert (attempt.walk_pass, attempt.page_num, attempt.page_size, attempt.number) == (2, 7, 1000, 1)
    assert (attempt.address, attempt.status, attempt.fault, attempt.detail) == ("http://h:1/x", 200, None, "")
    assert (attempt.bytes, attempt.milliseconds, attempt.at, attempt.rest_seconds) == (123, 45.7, BEGAN, 0.0)
    assert scene.asker.drain() == []


async def test_every_attempt_is_noted_with_its_status_fault_and_rest() -> None:
    outcomes: list[Outcome] = [busy(503, 30), busy(500), Malformed("not-json", "cut"), DROPPED, GOOD]
    scene = Scene(outcomes, cool_down_seconds=100)
    asked = await scene.ask()
    assert asked.tries == 5
    assert asked.at == BEGAN + timedelta(seconds=30 + 2 + 4 + 100)
    noted = scene.asker.drain()
    assert [(each.number, each.status, each.fault, each.rest_seconds) for each in noted] == [
        (1, 503, "http-503", 30.0),
        (2, 500, "http-500", 2.0),
        (3, 200, "not-json", 4.0),
        (4, None, "disconnected", 100.0),
        (5, 200, None, 0.0),
    ]
    assert [each.bytes for each in noted] == [0, 0, 0, 0, 123]
    assert [each.detail for each in noted] == ["busy", "busy", "cut", "dropped", ""]
    assert scene.rests == [30, 2, 4, 100]
    assert scene.asker.rested_seconds == 136


@pytest.mark.parametrize(
    ("fault", "status"),
    [(TooLarge("too-large", ""), 200), (Malformed("protocol", ""), None), (busy(404), 404), (DROPPED, None)],
)
async def test_the_status_of_an_attempt_is_that_of_its_answer(fault: Fault, status: int | None) -> None:
    scene = Scene([fault])
    with pytest.raises(Fault):
        await scene.ask(max_attempts=1)
    assert [each.status for each in scene.asker.drain()] == [status]


async def test_a_failed_attempt_has_its_duration_too() -> None:
    scene = Scene([busy(404)])
    scene.before = lambda number: setattr(scene, "seconds", scene.seconds + 0.25)
    with pytest.raises(Refused):
        await scene.ask()
    (attempt,) = scene.asker.drain()
    assert (attempt.milliseconds, attempt.at) == (250.0, BEGAN)


@pytest.mark.parametrize("fault", [busy(404), TooLarge("too-large", "10 MB"), busy(302)])
async def test_a_fault_that_is_final_is_raised_at_once_and_noted(fault: Fault) -> None:
    scene = Scene([fault])
    with pytest.raises(Fault) as caught:
        await scene.ask()
    assert caught.value is fault
    (attempt,) = scene.asker.drain()
    assert (attempt.fault, attempt.rest_seconds) == (fault.kind, 0.0)
    assert scene.asker.rested_seconds == 0


async def test_the_fault_of_the_last_attempt_is_raised() -> None:
    last = busy(509)
    scene = Scene([busy(503), busy(503), last])
    with pytest.raises(Refused) as caught:
        await scene.ask(max_attempts=3)
    assert caught.value is last
    assert [each.number for each in scene.asker.drain()] == [1, 2, 3]
    assert scene.rests == [600, 600], "nobody rests after the last attempt"


async def test_a_halted_run_asks_for_nothing_and_waits_for_no_turn() -> None:
    scene = Scene([GOOD])
    scene.halted = True

    async def turn() -> None:
        pytest.fail("it would wait for a turn that it cannot use")

    scene.asker._pace.turn = turn  # type: ignore[method-assign]
    with pytest.raises(Halted):
        await scene.ask()
    assert scene.calls == []
    assert scene.asker.drain() == []


async def test_a_run_that_halts_during_a_rest_does_not_ask_again() -> None:
    scene = Scene([busy(), GOOD])
    scene.before = lambda number: setattr(scene, "halted", True)
    with pytest.raises(Halted):
        await scene.ask()
    assert len(scene.calls) == 1
    assert [each.fault for each in scene.asker.drain()] == ["http-503"]


async def test_a_run_that_halts_while_waiting_for_its_turn_asks_for_nothing() -> None:
    scene = Scene([GOOD, GOOD])

    async def turn() -> None:
        scene.halted = True

    scene.asker._pace.turn = turn  # type: ignore[method-assign]
    with pytest.raises(Halted):
        await scene.ask()
    assert scene.calls == []


async def test_a_rest_is_shared_by_all_requests() -> None:
    scene = Scene([busy(503, 30), GOOD, GOOD, GOOD])
    later: list[asyncio.Task[Asked]] = []

    async def away(seconds: float) -> None:
        if not later:
            later.extend(asyncio.create_task(scene.ask(number)) for number in (2, 3))
        await scene._away(seconds)

    scene.asker._rest._away = away
    await scene.ask(1)
    await asyncio.gather(*later)
    assert [at for _, at in scene.calls] == [0.0, 30.0, 30.0, 30.0]
    assert scene.rests == [30]


async def test_a_longer_rest_holds_for_those_who_rest_already() -> None:
    """Two pages on their way are refused, the second for longer: nobody asks before that."""
    scene = Scene([busy(503, 10), busy(503, 60), GOOD, GOOD])
    await asyncio.gather(scene.ask(1), scene.ask(2))
    assert [at for _, at in scene.calls] == [0.0, 0.0, 60.0, 60.0]


async def test_a_rest_that_begins_while_one_waits_for_its_turn_is_kept() -> None:
    scene = Scene([GOOD, GOOD])
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:  # meanwhile another page was refused
            scene.asker._rest.extend(45)

    scene.asker._pace.turn = turn  # type: ignore[method-assign]
    await scene.ask()
    assert [at for _, at in scene.calls] == [45.0]


async def test_every_attempt_takes_its_turn() -> None:
    scene = Scene([busy(), busy(500), GOOD])
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1

    scene.asker._pace.turn = turn  # type: ignore[method-assign]
    await scene.ask()
    assert turns == len(scene.calls) == 3


async def test_a_busy_province_is_asked_less_often_and_other_faults_do_not_matter() -> None:
    for fault, slowest in ((busy(509), 4.0), (busy(500), None), (DROPPED, None)):
        scene = Scene([fault, GOOD], requests_per_second=8, cool_down_seconds=0)
        await scene.ask()
        assert scene.asker.drain_slowest() == slowest


async def test_answers_that_begin_late_slow_the_pace_of_their_dataset() -> None:
    late = replace(GOOD, first_byte_seconds=3.0)
    scene = Scene([*[replace(GOOD, first_byte_seconds=0.1)] * 8, late], requests_per_second=1000)
    for _ in range(8):
        await scene.ask()
    assert scene.asker.drain_slowest() is None
    await scene.ask()
    assert scene.asker.drain_slowest() == 800.0


async def test_no_more_pages_are_open_than_the_line_allows() -> None:
    scene = Scene([GOOD] * 4)
    scene.connections = 1
    scene.asker = Asker(
        cast(ProvinceClient, scene),
        scene.settings,
        rest=Rest(clock=lambda: 0.0, away=scene._away),
        halted=lambda: False,
        now=lambda: BEGAN,
    )
    open_now: list[int] = []
    scene.before = lambda number: open_now.append(len(scene.outcomes))
    await asyncio.gather(*(scene.ask(number) for number in range(1, 5)))
    assert [number for number, _ in scene.calls] == [1, 2, 3, 4]
    assert open_now == [4, 3, 2, 1]


async def test_a_rest_that_begins_while_somebody_waits_for_his_turn_is_spent_without_a_seat() -> None:
    """The line of the run has few seats; a province that rests ten minutes must not sit on one."""
    scene = Scene([GOOD])
    seat = asyncio.Semaphore(1)
    scene.seats = [seat]
    seated: list[bool] = []
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        seated.append(seat.locked())
        if turns == 1:
            scene.asker._rest.extend(600)

    away = scene._away

    async def watched(seconds: float) -> None:
        seated.append(seat.locked())
        await away(seconds)

    scene.asker._rest._away = watched
    scene.asker._pace.turn = turn  # type: ignore[method-assign]
    await scene.ask()
    assert seated == [True, False, True]
    assert scene.rests == [600]
    assert not seat.locked()


async def test_who_waits_for_a_seat_waits_for_the_answer_before_him() -> None:
    scene = Scene([GOOD] * 3)
    scene.seats = [asyncio.Semaphore(1)]
    scene.before = lambda number: seats.append(scene.seats[0].locked())
    seats: list[bool] = []
    await asyncio.gather(*(scene.ask(number) for number in range(1, 4)))
    assert seats == [True] * 3
    assert not scene.seats[0].locked()
