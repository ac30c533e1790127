"""Properties of the walk against an in-memory province that pages, shifts and lies as it likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from walk_driver import Change, Delete, Insert, PastEnd, Row, Walked, World, keyless, row, walked

from subcmc_crawler.model import Ending
from subcmc_crawler.province import walking
from subcmc_crawler.province.walking import agrees, another_pass
from subcmc_crawler.spec.envelope import Envelope

SIZES = st.integers(1, 12)
IN_FLIGHT = st.integers(1, 5)
EARLY = st.lists(st.booleans(), min_size=1, max_size=6)
COUNTS = st.integers(0, 40)
PAST_END: st.SearchStrategy[PastEnd] = st.sampled_from(["empty", "echo", "error"])
ANY_PAST_END: st.SearchStrategy[PastEnd] = st.sampled_from(["empty", "echo", "error", "first"])
INSERTS = st.builds(Insert, at=st.integers(0, 50))
DELETES = st.builds(Delete, at=st.integers(0, 50))
ANY_CHANGES: st.SearchStrategy[Mapping[int, Sequence[Change]]] = st.dictionaries(
    st.integers(0, 20), st.lists(INSERTS | DELETES, min_size=1, max_size=3), max_size=6
)
ANY_ROWS = st.lists(
    st.builds(row, st.integers(0, 12), st.integers(0, 1)) | st.builds(keyless, st.integers(0, 3)), max_size=30
)
DRIVES = st.fixed_dictionaries({"page_size": SIZES, "max_in_flight": IN_FLIGHT, "early": EARLY})


def distinct_rows(count: int) -> list[Row]:
    return [row(number) for number in range(count)]


@st.composite
def any_world(draw: st.DrawFn) -> World:
    return World(
        rows=draw(st.builds(distinct_rows, COUNTS) | ANY_ROWS),
        clamp=draw(st.integers(0, 6)),
        clamp_limit=draw(st.integers(0, 6)),
        total=draw(st.integers(-50, 60) | st.sampled_from(["absent", "moving"])),
        past_end=draw(ANY_PAST_END),
        ignore_page=draw(st.booleans()),
        most=draw(st.integers(0, 12)),
        weights=draw(st.dictionaries(st.integers(0, 40), st.integers(1, 6), max_size=5)),
        refuse=draw(st.integers(-1, 12)),
        changes=draw(ANY_CHANGES),
    )


def balances(found: Walked) -> bool:
    tally = found.tally
    counted = tally.distinct + tally.repeated + tally.conflicting + tally.quarantined
    return tally.received == counted == len(found.rows) == found.state.received


@settings(deadline=None)
@given(any_world(), DRIVES, st.booleans(), st.integers(0, 3))
def test_every_pass_ends_soon_balances_and_keeps_to_its_places(
    world: World, drive: dict[str, Any], realign: bool, tolerance: int
) -> None:
    most_declared = 40 + 60 + 18 + 20  # rows, off by, inserted, and what "moving" adds
    bound = 3 * most_declared + 10 * drive["max_in_flight"] + 30
    found = walked(world, **drive, realign=realign, tolerance=tolerance, most_steps=3 * bound)
    assert world.served <= bound
    assert balances(found)
    assert found.most_in_flight <= drive["max_in_flight"]


@pytest.mark.parametrize("total", ["absent", 10**9])
def test_a_province_without_end_is_left_at_the_limit(total: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(World):
        def _bounds(self, page_num: int, page_size: int) -> tuple[int, int] | None:
            self.rows = [row(self.served * page_size + number) for number in range(page_size)]
            return 0, page_size

    monkeypatch.setattr(walking, "MAX_PAGES", 50)
    world = Endless(rows=[], total=total)
    found = walked(world, page_size=3, max_in_flight=4)
    assert found.ending is Ending.FAILED
    assert world.served == 50
    assert balances(found)


@settings(deadline=None)
@given(COUNTS, st.integers(0, 15), PAST_END, DRIVES, st.booleans())
def test_a_sound_province_is_clean_with_exactly_its_rows_in_order(
    count: int, clamp: int, past_end: PastEnd, drive: dict[str, Any], realign: bool
) -> None:
    assume(realign or not clamp)
    world = World(rows=distinct_rows(count), clamp=clamp, past_end=past_end)
    found = walked(world, **drive, realign=realign)
    assert found.ending is Ending.CLEAN
    assert found.rows == distinct_rows(count)
    assert balances(found)


@settings(deadline=None)
@given(COUNTS, st.integers(1, 15), PAST_END, DRIVES)
def test_a_cut_of_rows_alone_is_realigned_too(
    count: int, clamp_limit: int, past_end: PastEnd, drive: dict[str, Any]
) -> None:
    found = walked(World(rows=distinct_rows(count), clamp_limit=clamp_limit, past_end=past_end), **drive)
    assert found.ending is Ending.CLEAN
    assert found.rows == distinct_rows(count)


@settings(deadline=None)
@given(COUNTS, st.integers(1, 15), PAST_END, DRIVES)
def test_a_cut_of_rows_alone_that_is_not_realigned_is_never_clean_with_lost_rows(
    count: int, clamp_limit: int, past_end: PastEnd, drive: dict[str, Any]
) -> None:
    world = World(rows=distinct_rows(count), clamp_limit=clamp_limit, past_end=past_end)
    found = walked(world, **drive, realign=False)
    assert (found.ending is Ending.CLEAN) == (found.rows == distinct_rows(count))


@settings(deadline=None)
@given(
    heavy=st.builds(
        dict,
        most=st.integers(6, 20),
        weights=st.dictionaries(st.integers(0, 40), st.integers(1, 6), max_size=12),
        clamp=st.integers(0, 8),
        past_end=PAST_END,
    ),
    count=COUNTS,
    page_size=st.integers(1, 40),
    drive=DRIVES,
)
def test_smaller_pages_never_skip_or_repeat_a_row(
    heavy: dict[str, Any], count: int, page_size: int, drive: dict[str, Any]
) -> None:
    found = walked(World(rows=distinct_rows(count), **heavy), **{**drive, "page_size": page_size})
    assert found.ending is Ending.CLEAN
    assert found.rows == distinct_rows(count)


def test_a_row_that_is_too_large_by_itself_fails_the_pass() -> None:
    found = walked(World(rows=distinct_rows(9), most=3, weights={5: 4}), page_size=8, max_in_flight=2)
    assert found.ending is Ending.FAILED
    assert found.rows == distinct_rows(5)


@settings(deadline=None)
@given(COUNTS, st.integers(-45, 45), PAST_END, DRIVES)
def test_a_wrong_total_is_never_clean(
    count: int, off_by: int, past_end: PastEnd, drive: dict[str, Any]
) -> None:
    world = World(rows=distinct_rows(count), total=off_by, past_end=past_end)
    assume(max(0, count + off_by) != count)
    assert walked(world, **drive).ending in (Ending.MISCOUNTED, Ending.LOOPING, Ending.FAILED)


@settings(deadline=None)
@given(COUNTS, ANY_PAST_END, DRIVES)
def test_without_a_total_all_rows_come_and_nothing_is_proven(
    count: int, past_end: PastEnd, drive: dict[str, Any]
) -> None:
    assume(past_end not in ("first", "error"))
    world = World(rows=distinct_rows(count), total="absent", past_end=past_end)
    found = walked(world, **drive)
    assert found.ending is Ending.UNDECLARED
    assert found.rows == distinct_rows(count)


@settings(deadline=None)
@given(COUNTS, DRIVES)
def test_ignored_page_numbers_are_clean_only_if_one_page_held_everything(
    count: int, drive: dict[str, Any]
) -> None:
    found = walked(World(rows=distinct_rows(count), ignore_page=True), **drive)
    expected = Ending.CLEAN if count <= drive["page_size"] else Ending.LOOPING
    assert found.ending is expected
    assert found.rows == distinct_rows(min(count, drive["page_size"]))


# ── a province that changes while it is walked ──────────────────────────────────────────────────────────


def keys_of(page: Envelope) -> list[str | None]:
    return [each.get("netId") for each in page.rows]


def clean_rule_holds(found: Walked) -> bool:
    """The rule of the design (section 4), from what was served alone."""
    if found.probe is None and len(found.taken) > 1:
        return False
    if found.probe is not None and keys_of(found.probe) != keys_of(found.taken[0]):
        return False
    last = found.probe or found.taken[-1]
    for page, asked, after in zip(found.taken, found.asked, [*found.taken[1:], last], strict=True):
        if page.total != after.total:  # a seam: the page before it stays as it was
            look = found.looks.get(asked)
            if look is None or (keys_of(look), look.total) != (keys_of(page), last.total):
                return False
    keys = [key for key in found.keys if key is not None]
    return last.total == len(found.rows) and len(keys) == len(set(keys))


@settings(deadline=None)
@given(any_world(), DRIVES, st.booleans())
def test_clean_is_claimed_only_where_the_rule_of_the_design_holds(
    world: World, drive: dict[str, Any], realign: bool
) -> None:
    found = walked(world, **drive, realign=realign)
    if found.ending is Ending.CLEAN:
        assert clean_rule_holds(found)


@settings(deadline=None)
@given(
    count=COUNTS,
    paging=st.builds(dict, clamp=st.integers(0, 15), past_end=PAST_END, most=st.integers(0, 12)),
    drive=DRIVES,
    when=st.integers(0, 30),
    change=INSERTS | DELETES,
)
@example(count=20, paging={}, drive={"page_size": 5}, when=2, change=Delete(at=7))
@example(count=20, paging={}, drive={"page_size": 5}, when=2, change=Insert(at=7))
@example(count=20, paging={}, drive={"page_size": 5, "max_in_flight": 2}, when=2, change=Delete(at=9))
def test_one_row_that_comes_or_goes_is_never_lost_or_doubled_in_a_clean_pass(
    count: int, paging: dict[str, Any], drive: dict[str, Any], when: int, change: Change
) -> None:
    world = World(rows=distinct_rows(count), changes={when: [change]}, **paging)
    found = walked(world, **drive)
    assert balances(found)
    if found.ending is Ending.CLEAN:
        assert found.keys in world.states


@settings(deadline=None)
@given(
    COUNTS,
    st.integers(0, 15),
    PAST_END,
    DRIVES,
    st.dictionaries(st.integers(0, 20), st.lists(INSERTS, min_size=1, max_size=2), max_size=4)
    | st.dictionaries(st.integers(0, 20), st.lists(DELETES, min_size=1, max_size=2), max_size=4),
)
def test_rows_that_only_come_or_only_go_are_never_lost_or_doubled_in_a_clean_pass(
    count: int,
    clamp: int,
    past_end: PastEnd,
    drive: dict[str, Any],
    changes: Mapping[int, Sequence[Change]],
) -> None:
    world = World(rows=distinct_rows(count), clamp=clamp, past_end=past_end, changes=changes)
    found = walked(world, **drive)
    if found.ending is Ending.CLEAN:
        assert found.keys in world.states


@settings(deadline=None)
@given(st.integers(3, 12), PAST_END, DRIVES, st.data())
def test_rows_that_come_or_go_behind_what_was_read_need_no_further_pass(
    pages: int, past_end: PastEnd, drive: dict[str, Any], data: st.DataObject
) -> None:
    """The most usual move of all: a new row at the end. Pages on their way when it comes are still unread."""
    page_size, in_flight = drive["page_size"], drive["max_in_flight"]
    count = pages * page_size - 1
    when = data.draw(st.integers(1, pages - 2))
    behind = st.integers((when + in_flight) * page_size, count - 1)
    assume((when + in_flight) * page_size < count - 1)
    change = data.draw(st.builds(Insert, at=behind | st.just(count)) | st.builds(Delete, at=behind))
    world = World(rows=distinct_rows(count), past_end=past_end, changes={when: [change]})
    found = walked(world, **drive)
    assert found.ending is Ending.CLEAN
    assert found.keys == world.states[-1]
    assert len(found.looks) <= in_flight + 1


@settings(deadline=None)
@given(st.integers(2, 40), PAST_END, DRIVES, st.integers(1, 20), st.data())
def test_a_swap_that_touches_page_1_is_never_clean_with_a_lost_or_doubled_row(
    count: int, past_end: PastEnd, drive: dict[str, Any], when: int, data: st.DataObject
) -> None:
    """One row goes and one comes between two requests: no count moves, the keys of page 1 do."""
    front = st.integers(0, min(drive["page_size"], count) - 1)
    anywhere = st.integers(0, count - 1)
    goes, comes = data.draw(st.tuples(front, anywhere) | st.tuples(anywhere, front))
    swap: list[Change] = [Delete(at=goes), Insert(at=comes)]
    world = World(rows=distinct_rows(count), past_end=past_end, changes={when: swap})
    found = walked(world, **drive)
    if found.ending is Ending.CLEAN:
        assert found.keys in world.states


@settings(deadline=None)
@given(COUNTS, PAST_END, DRIVES, ANY_CHANGES)
def test_a_clean_pass_doubles_no_row_whatever_happens(
    count: int, past_end: PastEnd, drive: dict[str, Any], changes: Mapping[int, Sequence[Change]]
) -> None:
    found = walked(World(rows=distinct_rows(count), past_end=past_end, changes=changes), **drive)
    if found.ending is Ending.CLEAN:
        assert len(set(found.keys)) == len(found.keys) == found.state.declared


# ── the province's own duplicates and rows without a key ────────────────────────────────────────────────


def degenerate(rows: list[Row], page_size: int) -> bool:
    """Two pages in a row alike, or three without a new key: what an echo and an end look like."""
    pages = [rows[start : start + page_size] for start in range(0, len(rows), page_size)]
    if any(one == other for one, other in pairwise(pages)):
        return True
    seen: set[str] = set()
    barren = 0
    for page in pages:
        fresh = any(each.get("netId") is None or each["netId"] not in seen for each in page)
        seen |= {each["netId"] for each in page if "netId" in each}
        barren = 0 if fresh else barren + 1
        if barren >= 3:
            return True
    return False


@settings(deadline=None)
@given(ANY_ROWS, PAST_END, DRIVES, DRIVES)
def test_own_duplicates_end_two_passes_in_the_same_way(
    rows: list[Row], past_end: PastEnd, drive: dict[str, Any], other: dict[str, Any]
) -> None:
    other = {**other, "page_size": drive["page_size"]}
    assume(not degenerate(rows, drive["page_size"]))
    keys = [each["netId"] for each in rows if "netId" in each]
    one = walked(World(rows=list(rows), past_end=past_end), **drive)
    two = walked(World(rows=list(rows), past_end=past_end), **other)
    assert one.rows == rows
    assert balances(one)
    if len(set(keys)) == len(keys):
        assert one.ending is Ending.CLEAN
        return
    assert one.ending is two.ending is Ending.REPEATING
    assert agrees(one.facts(), two.facts())
    assert another_pass((one.facts(),), max_passes=3)
    assert not another_pass((one.facts(), two.facts()), max_passes=3)


# ── what the rule cannot see: facts that a change of the rule should meet here ──────────────────────────


def test_weakness_a_swap_behind_page_1_within_one_gap_is_not_seen() -> None:
    """A row of page 2 goes and one comes at the end before page 3 is asked: the seam loses a row."""
    swap: list[Change] = [Delete(at=7), Insert(at=19)]
    world = World(rows=distinct_rows(20), changes={2: swap})
    found = walked(world, page_size=5)
    assert found.ending is Ending.CLEAN
    assert found.keys not in world.states
    assert "k10" not in found.keys
    assert all("k10" in state for state in world.states)


@pytest.mark.parametrize("rows", [[row(1), row(1)], [row(1), row(2), row(1), row(2)]])
def test_weakness_own_duplicates_that_make_two_pages_alike_look_like_a_loop(rows: list[Row]) -> None:
    assert walked(World(rows=rows), page_size=len(rows) // 2).ending is Ending.LOOPING


def test_a_province_that_starts_over_past_the_end_is_no_surplus() -> None:
    found = walked(World(rows=distinct_rows(10), past_end="first"), page_size=5)
    assert found.ending is Ending.CLEAN
    assert found.state.received == 10
