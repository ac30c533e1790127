"""One pass over a dataset, driven with a fake asker: order, what is on its way at once, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patience import until
from subcmc_crawler.errors import Fault, Malformed, Refused, StoreLost, TooLarge, Unreachable
from subcmc_crawler.halting import Halt
from subcmc_crawler.model import Ending, PageRecord
from subcmc_crawler.passing import WalkPass
from subcmc_crawler.province import walking
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asked, Asker, Halted
from subcmc_crawler.province.client import Fetched
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.settings import DatasetSettings
from subcmc_crawler.province.tally import Sorted
from subcmc_crawler.province.walking import PassFacts
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.spec.records import DRIFT_NAMES, OTHER_NAMES

DATASET = DATASETS["infr_network"]
ADDRESS = Address.parse("http://h:1/x", "https")
BEGAN = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)
TOO_LARGE = TooLarge("too-large", "10 MB")
REFUSED = Refused("http-500", "", status=500)
UNREACHABLE = Unreachable("disconnected", "")
Row = dict[str, Any]
Hook = Callable[[int, int, int], Fault | Halted | None]


def rows(count: int) -> list[Row]:
    return [{"netId": f"k{number}", "collectTime": number} for number in range(count)]


class Province:
    """A fake asker: request n waits `waits[n]` turns of the loop, or the last of them.

    `hook` says what goes wrong with a request: its number from 0, the page and the page size.
    """

    def __init__(self, held: list[Row], *, total: int | None = None, waits: list[int] | None = None) -> None:
        self.held = held
        self.total = len(held) if total is None else total
        self.waits = waits or [0]
        self.hook: Hook = lambda number, page_num, page_size: None
        self.asked: list[tuple[int, int]] = []
        self.answered: list[int] = []
        self.cancelled: list[int] = []
        self.on_their_way = 0
        self.most = 0
        self.deviations: tuple[str, ...] = ()

    async def page(
        self, _dataset: object, _settings: object, *, page_num: int, page_size: int, **_: Any
    ) -> Asked:
        number = len(self.asked)
        self.asked.append((page_num, page_size))
        self.on_their_way += 1
        self.most = max(self.most, self.on_their_way)
        try:
            for _turn in range(self.waits[min(number, len(self.waits) - 1)]):
                await asyncio.sleep(0)
            wrong = self.hook(number, page_num, page_size)
            if wrong is not None:
                raise wrong
            self.answered.append(page_num)
            start = (page_num - 1) * page_size
            served = [dict(each) for each in self.held[start : start + page_size]]
            envelope = Envelope(0, "", self.total, served, self.deviations)
            return Asked(Fetched(envelope, 200, 1000 + page_num, 12.345), 1 + number % 3, BEGAN)
        except asyncio.CancelledError:
            self.cancelled.append(page_num)
            raise
        finally:
            self.on_their_way -= 1


class Kept:
    """What a pass gave to the store."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.records: list[PageRecord] = []
        self.stored: list[Sequence[int]] = []

    async def __call__(self, page: Page, sorted_rows: Sorted, record: PageRecord, received: int) -> None:
        await asyncio.sleep(0)
        self.rows += page.records
        assert received == len(self.rows)
        self.records.append(record)
        self.stored.append(sorted_rows.store)


class Halting:
    """A halt for tests: `cut()` returns after so many turns of the loop from the halt on, never by default."""

    def __init__(self, halted: Callable[[], bool] = lambda: False, *, turns: int | None = None) -> None:
        self._halted = halted
        self._turns = turns

    def __call__(self) -> bool:
        return self._halted()

    async def cut(self) -> None:
        if self._turns is None:
            await asyncio.Event().wait()
            return
        await until(self._halted, "the halt", every=0)  # turns of the loop are what is counted
        for _turn in range(self._turns):
            await asyncio.sleep(0)


def new_pass(
    province: Province,
    kept: Any,
    *,
    page_size: int = 10,
    max_in_flight: int = 1,
    halted: Callable[[], bool] = lambda: False,
    grace_turns: int | None = None,
    **changes: Any,
) -> WalkPass:
    return WalkPass(
        cast(Asker, province),
        DATASET,
        DatasetSettings(page_size=page_size, **changes),
        cmc_id="620000",
        address=ADDRESS,
        number=2,
        page_size=page_size,
        realign=True,
        max_in_flight=max_in_flight,
        halted=cast(Halt, Halting(halted, turns=grace_turns)),
        keep=kept,
    )


async def walked(province: Province, **changes: Any) -> tuple[WalkPass, PassFacts, Kept]:
    kept = Kept()
    walk_pass = new_pass(province, kept, **changes)
    facts = await walk_pass.walk()
    assert province.on_their_way == 0, "nothing is left behind"
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return walk_pass, facts, kept


# ── order and what is on its way ────────────────────────────────────────────────────────────────────────


@settings(deadline=None)
@given(
    count=st.integers(0, 60),
    page_size=st.integers(1, 12),
    max_in_flight=st.integers(1, 6),
    waits=st.lists(st.integers(0, 12), min_size=1, max_size=8),
)
def test_rows_keep_their_order_whichever_page_answers_first(
    count: int, page_size: int, max_in_flight: int, waits: list[int]
) -> None:
    province = Province(rows(count), waits=waits)
    _, facts, kept = asyncio.run(walked(province, page_size=page_size, max_in_flight=max_in_flight))
    assert facts.ending is Ending.CLEAN
    assert kept.rows == rows(count)
    assert [record.ordinal for record in kept.records] == list(range(len(kept.records)))
    assert province.most <= max_in_flight


async def test_a_later_page_that_answers_first_waits_for_the_earlier_one() -> None:
    province = Province(rows(50), waits=[0, 30, 20, 10, 0])
    _, _, kept = await walked(province, max_in_flight=4)
    assert province.answered[:5] == [1, 5, 4, 3, 2]
    assert kept.rows == rows(50)


@pytest.mark.parametrize("max_in_flight", [1, 2, 5])
async def test_as_many_pages_are_on_their_way_as_allowed(max_in_flight: int) -> None:
    province = Province(rows(100), waits=[5])
    await walked(province, max_in_flight=max_in_flight)
    assert province.most == max_in_flight


async def test_page_1_travels_alone() -> None:
    province = Province(rows(100), waits=[20])
    alone: list[int] = []
    province.hook = lambda number, page_num, page_size: alone.append(province.on_their_way)
    await walked(province, max_in_flight=8)
    assert alone[0] == 1
    assert max(alone) == 8


async def test_each_page_is_recorded_as_it_was_asked_for() -> None:
    province = Province(rows(25))
    _, _, kept = await walked(province)
    assert [(each.walk_pass, each.ordinal, each.page_num, each.page_size) for each in kept.records] == [
        (2, 0, 1, 10),
        (2, 1, 2, 10),
        (2, 2, 3, 10),
    ]
    assert [(each.bytes, each.milliseconds, each.tries, each.at) for each in kept.records] == [
        (1001, 12.3, 1, BEGAN),
        (1002, 12.3, 2, BEGAN),
        (1003, 12.3, 3, BEGAN),
    ]
    assert province.asked == [(1, 10), (2, 10), (3, 10), (1, 10)], "the last one is the closing probe"


async def test_the_probe_is_not_kept() -> None:
    walk_pass, facts, kept = await walked(Province(rows(25)))
    assert len(kept.rows) == facts.received == walk_pass.tally.received == 25


# ── an end while pages are on their way ─────────────────────────────────────────────────────────────────


async def test_pages_on_their_way_are_given_up_when_the_end_is_known() -> None:
    """Page 3 is page 2 again, while the declared pages 4 to 6 are on their way."""
    held = rows(10) + rows(20)[10:] * 2
    province = Province(held, total=100, waits=[0, 0, 0, 50, 50, 50, 0])
    walk_pass, facts, _ = await walked(province, max_in_flight=4)
    assert facts.ending is Ending.LOOPING
    assert set(province.cancelled) <= {4, 5, 6}
    assert len(province.cancelled) >= 2
    assert walk_pass.tally.received == 20


@pytest.mark.parametrize("fault", [REFUSED, UNREACHABLE, Malformed("not-json", "")])
async def test_a_fault_ends_the_pass_and_what_is_on_its_way(fault: Fault) -> None:
    province = Province(rows(100), waits=[0, 0, 50, 50])
    province.hook = lambda number, page_num, page_size: fault if page_num == 2 else None
    walk_pass, facts, kept = await walked(province, max_in_flight=3)
    assert facts.ending is Ending.FAILED
    assert walk_pass.fault is fault
    assert province.cancelled == [3, 4]
    assert kept.rows == rows(10)


async def test_a_pass_that_is_cancelled_leaves_nothing_on_its_way() -> None:
    province = Province(rows(100), waits=[0, 1000, 1000])
    task = asyncio.create_task(new_pass(province, Kept(), max_in_flight=3).walk())
    await until(lambda: len(province.asked) >= 4, "four pages asked for", every=0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(province.cancelled) == [2, 3, 4]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_store_that_is_lost_leaves_nothing_on_its_way() -> None:
    province = Province(rows(100), waits=[0, 0, 1000, 1000])

    async def keep(page: Page, _rows: Sorted, record: PageRecord, _received: int) -> None:
        if record.ordinal == 1:
            raise StoreLost("away")

    with pytest.raises(StoreLost):
        await new_pass(province, keep, max_in_flight=3).walk()
    assert sorted(province.cancelled) == [3, 4]
    assert asyncio.all_tasks() == {asyncio.current_task()}


# ── smaller pages ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_that_is_too_large_is_asked_for_in_halves() -> None:
    province = Province(rows(80), waits=[0, 5, 5, 30, 30, 30, 0])
    province.hook = lambda number, page_num, page_size: (
        TOO_LARGE if (page_num, page_size) == (3, 10) else None
    )
    walk_pass, facts, kept = await walked(province, max_in_flight=4)
    assert facts.ending is Ending.CLEAN
    assert kept.rows == rows(80)
    assert walk_pass.state.page_size == 5
    assert set(province.cancelled) <= {4, 5, 6}
    assert province.cancelled, "they were on their way with the larger size"
    assert (5, 5) in province.asked, "the row after the 20th is the first of page 5 of 5 rows"


@settings(deadline=None)
@given(
    count=st.integers(0, 60),
    page_size=st.integers(1, 40),
    max_in_flight=st.integers(1, 6),
    waits=st.lists(st.integers(0, 12), min_size=1, max_size=8),
    heavy=st.sets(st.integers(0, 59), max_size=6),
)
def test_smaller_pages_skip_and_repeat_nothing(
    count: int, page_size: int, max_in_flight: int, waits: list[int], heavy: set[int]
) -> None:
    """A page may hold eight rows, and one heavy row weighs four."""
    province = Province(rows(count), waits=waits)

    def weigh(_number: int, page_num: int, size: int) -> Fault | None:
        start = (page_num - 1) * size
        weight = sum(4 if at in heavy else 1 for at in range(start, min(start + size, count)))
        return TOO_LARGE if weight > 8 else None

    province.hook = weigh
    _, facts, kept = asyncio.run(walked(province, page_size=page_size, max_in_flight=max_in_flight))
    assert facts.ending is Ending.CLEAN
    assert kept.rows == rows(count)


async def test_one_row_that_is_too_large_fails_the_pass() -> None:
    province = Province(rows(8))
    province.hook = lambda number, page_num, page_size: TOO_LARGE if page_num * page_size >= 6 else None
    walk_pass, facts, kept = await walked(province, page_size=8)
    assert facts.ending is Ending.FAILED
    assert walk_pass.fault is TOO_LARGE
    assert kept.rows == rows(5)


# ── halted ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("after", [0, 1, 3])
async def test_a_halted_run_asks_for_nothing_more(after: int) -> None:
    province = Province(rows(100), waits=[0, 0, 2])
    walk_pass, facts, kept = await walked(
        province, max_in_flight=2, halted=lambda: len(province.asked) >= after
    )
    assert facts.ending is Ending.STOPPED
    assert len(province.asked) <= after
    assert walk_pass.fault is None
    assert kept.rows == rows(len(kept.rows))


async def test_what_is_on_its_way_when_halted_may_come_within_the_grace() -> None:
    province = Province(rows(100), waits=[0, 0, 50, 20])
    walk_pass, facts, kept = await walked(
        province, max_in_flight=3, halted=lambda: len(province.asked) == 4, grace_turns=1000
    )
    assert facts.ending is Ending.STOPPED
    assert province.answered == [1, 2, 4, 3]
    assert province.cancelled == []
    assert kept.rows == rows(40)
    assert walk_pass.fault is None


async def test_what_comes_later_than_the_grace_is_given_up() -> None:
    """Pages 2 to 4 are on their way: 2 and 4 come in time, and what is behind page 3 is not stored."""
    province = Province(rows(100), waits=[0, 3, 500, 3])
    _, facts, kept = await walked(
        province, max_in_flight=3, halted=lambda: len(province.asked) == 4, grace_turns=20
    )
    assert facts.ending is Ending.STOPPED
    assert province.answered == [1, 2, 4]
    assert province.cancelled == [3]
    assert kept.rows == rows(20)


async def test_a_halt_while_a_page_is_awaited_gives_it_the_grace_and_no_more() -> None:
    province = Province(rows(100), waits=[0, 10_000])
    halt_at = [30]

    def halted() -> bool:
        halt_at[0] -= 1
        return halt_at[0] < 0

    _, facts, kept = await walked(province, max_in_flight=2, halted=halted, grace_turns=50)
    assert facts.ending is Ending.STOPPED
    assert sorted(province.cancelled) == [2, 3]
    assert kept.rows == rows(10)


async def test_a_fault_within_the_grace_is_still_a_stop() -> None:
    province = Province(rows(100), waits=[0, 5, 5])
    province.hook = lambda number, page_num, page_size: REFUSED if page_num == 2 else None
    _, facts, kept = await walked(
        province, max_in_flight=2, halted=lambda: len(province.asked) == 3, grace_turns=100
    )
    assert facts.ending is Ending.STOPPED
    assert kept.rows == rows(10)


async def test_halted_while_asking_ends_the_pass() -> None:
    province = Province(rows(100), waits=[0, 0, 50])
    province.hook = lambda number, page_num, page_size: Halted() if page_num == 2 else None
    walk_pass, facts, kept = await walked(province, max_in_flight=3)
    assert facts.ending is Ending.STOPPED
    assert province.answered == [1, 3, 4], "they were on their way, and noted"
    assert kept.rows == rows(10)
    assert walk_pass.fault is None


async def test_halted_while_probing_ends_the_pass() -> None:
    province = Province(rows(25))
    province.hook = lambda number, page_num, page_size: Halted() if number == 3 else None
    _, facts, kept = await walked(province)
    assert facts.ending is Ending.STOPPED
    assert len(kept.rows) == 25


# ── endings ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fault", [REFUSED, UNREACHABLE, TOO_LARGE])
async def test_a_probe_that_fails_fails_the_pass(fault: Fault) -> None:
    province = Province(rows(25))
    province.hook = lambda number, page_num, page_size: fault if number == 3 else None
    walk_pass, facts, _ = await walked(province)
    assert facts.ending is Ending.FAILED
    assert walk_pass.fault is fault


@pytest.mark.parametrize("fault", [REFUSED, Malformed("no-code", "")])
async def test_a_refusal_past_the_end_is_no_failure(fault: Fault) -> None:
    province = Province(rows(20))
    province.hook = lambda number, page_num, page_size: fault if page_num == 3 else None
    _, facts, kept = await walked(province)
    assert facts.ending is Ending.CLEAN
    assert kept.rows == rows(20)


async def test_a_page_past_the_end_that_cannot_be_reached_is_a_failure() -> None:
    province = Province(rows(20))
    province.hook = lambda number, page_num, page_size: UNREACHABLE if page_num == 3 else None
    walk_pass, facts, _ = await walked(province)
    assert facts.ending is Ending.FAILED
    assert walk_pass.fault is UNREACHABLE


async def test_page_1_that_moved_is_seen_by_the_probe() -> None:
    province = Province(rows(25))

    def swap(number: int, _page_num: int, _page_size: int) -> None:
        if number == 3:
            province.held = [{"netId": "new"}, *rows(25)[1:]]

    province.hook = swap
    _, facts, _ = await walked(province)
    assert facts.ending is Ending.MOVED


async def test_a_province_without_end_fails_with_a_fault_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MAX_PAGES", 7)
    walk_pass, facts, _ = await walked(Province(rows(100), total=10**6), max_in_flight=2)
    assert facts.ending is Ending.FAILED
    assert isinstance(walk_pass.fault, Malformed)
    assert walk_pass.fault.kind == "endless"


async def test_fields_that_are_new_on_every_page_do_not_fill_the_memory() -> None:
    odd = [{"netId": str(n), f"new{n}": 1, "old": 1} for n in range(300)]
    walk_pass, _, _ = await walked(Province(odd))
    assert len(walk_pass.drift) == DRIFT_NAMES + 1
    assert walk_pass.drift["old"] == 300
    assert 0 < walk_pass.drift[OTHER_NAMES] <= 300 - DRIFT_NAMES


async def test_the_tolerance_is_that_of_the_settings() -> None:
    _, strict, _ = await walked(Province(rows(25), total=26))
    _, lenient, _ = await walked(Province(rows(25), total=26), tolerance=1)
    assert (strict.ending, lenient.ending) == (Ending.MISCOUNTED, Ending.CLEAN)


# ── what a pass knows afterwards ────────────────────────────────────────────────────────────────────────


async def test_the_content_of_a_pass_does_not_depend_on_its_pages() -> None:
    contents = set()
    for page_size, max_in_flight in ((7, 1), (10, 3), (100, 1)):
        _, facts, _ = await walked(Province(rows(25)), page_size=page_size, max_in_flight=max_in_flight)
        contents.add(facts.content)
    _, other, _ = await walked(Province(list(reversed(rows(25)))))
    assert len(contents) == 1
    assert other.content not in contents


async def test_times_of_collection_are_gathered_over_all_pages() -> None:
    held = rows(25)
    held[3]["collectTime"] = -5
    for position, odd in ((5, "7"), (6, True), (7, 2**63), (8, None), (9, 1.5)):
        held[position]["collectTime"] = odd
    walk_pass, _, _ = await walked(Province(held))
    assert walk_pass.collect_times == (-5, 24)
    none, _, _ = await walked(Province([{"netId": "k1"}]))
    assert none.collect_times is None


async def test_rule_breaks_drift_and_deviations_are_gathered_over_all_pages() -> None:
    centre = Centre("620000", "甘肃省", scale=0.01)
    held = centre.rows("infr_network")[:1] * 25
    held = [{**each, "netId": f"k{number}"} for number, each in enumerate(held)]
    for position in (0, 1, 12, 24):
        held[position]["operator"] = f"{position}" + "长" * 120
    held[2]["netType"] = held[12]["netType"] = held[22]["netType"] = 77777
    held[23]["netType"] = 88888
    held[3]["novel"] = held[13]["novel"] = 1
    held[4][" stray "] = 1
    province = Province(held)
    province.deviations = ("bom",)
    walk_pass, _, _ = await walked(province)
    breaks = {(each.field, each.rule): each for each in walk_pass.rule_breaks()}
    assert breaks["operator", "length"].rows == 4
    assert 1 <= len(breaks["operator", "length"].samples) <= 3
    assert breaks["netType", "code"].samples == ("77777", "88888")
    assert [each.rows for each in walk_pass.rule_breaks()] == sorted(
        (each.rows for each in walk_pass.rule_breaks()), reverse=True
    )
    assert walk_pass.drift["novel"] == 2
    assert walk_pass.deviations == {"bom": 3, "key-spaces:record": 1}


async def test_an_echo_is_counted_nowhere() -> None:
    held = rows(10) + rows(10)
    walk_pass, facts, kept = await walked(Province(held, total=10))
    assert facts.ending is Ending.CLEAN
    assert kept.rows == rows(10)
    assert walk_pass.tally.repeated == 0
