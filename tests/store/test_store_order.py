"""Orders told by an earlier night come back exactly, and cost next to nothing when little changed."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from store_cases import BOTH_DRIVERS, CMC, Night, collected, everything, row, snapshot

from subcmc_crawler.model import State
from subcmc_crawler.store import Database
from subcmc_crawler.store.codec import pack_times, steady, unpack_times
from subcmc_crawler.store.order import in_terms_of, spelt_out
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import get_manifest

KEYS = st.lists(st.one_of(st.none(), st.sampled_from([f"k{n}" for n in range(12)])), max_size=20)


@given(keys=KEYS, other=KEYS)
def test_what_is_told_by_another_order_comes_back(keys: list[str | None], other: list[str | None]) -> None:
    tokens, used = in_terms_of(keys, other)
    assert 0 <= used <= len(other)
    assert spelt_out(tokens, other) == (keys, used)
    assert spelt_out(tokens, other[:used]) == (keys, used), "no more of the other order is needed"


def told_one_by_one(keys: list[str | None], other: list[str | None]) -> tuple[list[Any], int]:
    """What `in_terms_of()` gives, by looking at a key at a time."""
    tokens: list[Any] = []
    at = same = 0
    for key in keys:
        if at < len(other) and other[at] == key:
            at, same = at + 1, same + 1
            continue
        ahead = other.index(key) - at if key is not None and key in other else -1
        if same:
            tokens.append(same)
        if 0 < ahead <= 200:
            tokens.append(-ahead)
            at, same = at + ahead + 1, 1
        else:
            tokens.append(key)
            same = 0
    return [*tokens, same] if same else tokens, at


@given(keys=KEYS, other=KEYS)
def test_few_keys_are_told_as_one_by_one(keys: list[str | None], other: list[str | None]) -> None:
    assert in_terms_of(keys, other) == told_one_by_one(keys, other)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 260), st.sampled_from([None, "new", "k5"]))))
def test_many_keys_are_told_as_one_by_one(steps: list[tuple[int, int, str | None]]) -> None:
    other: list[str | None] = [f"k{n}" for n in range(700)]
    keys: list[str | None] = []
    at = 0
    for kept, gone, new in steps:
        keys += [*other[at : at + kept], new]
        at += kept + gone
    assert in_terms_of(keys, other) == told_one_by_one(keys, other)
    assert in_terms_of(tuple(other), keys) == told_one_by_one(other, keys)


def test_equal_keys_are_one_number() -> None:
    keys = [f"k{n}" for n in range(1000)]
    assert in_terms_of(keys, [*keys, "more"]) == ([1000], 1000)
    assert in_terms_of([], keys) == ([], 0)


def test_a_removed_and_a_new_key_are_told_and_the_rest_is_counted() -> None:
    other = [f"k{n}" for n in range(10)]
    keys = [*other[:3], *other[4:6], "new", *other[6:]]
    assert in_terms_of(keys, other) == ([3, -1, 2, "new", 4], 10)


def test_a_key_from_far_ahead_is_told_by_itself() -> None:
    other = [f"k{n}" for n in range(1000)]
    assert in_terms_of(["k0", "k900", "k1"], other) == ([1, "k900", 1], 2)


@given(
    st.lists(
        st.one_of(
            st.integers(), st.none(), st.text(max_size=3), st.floats(allow_nan=False, allow_infinity=False)
        ),
        max_size=9,
    )
)
def test_times_come_back(times: list[Any]) -> None:
    told = unpack_times(pack_times(times))
    assert told == times or (
        len(told) == 1 and [repr(each) for each in times] == [repr(told[0])] * len(times)
    )


@given(
    st.lists(st.sampled_from([1, True, 1.0, "1", None, 0, 1 << 70, float("nan")]), max_size=4)
    | st.lists(st.just(7), max_size=4)
)
def test_one_value_stands_for_a_column_only_where_all_are_that_very_value(column: list[Any]) -> None:
    alike = {(type(value), repr(value)) for value in column}
    plain = bool(column) and isinstance(column[0], int | str | None) and not isinstance(column[0], bool)
    assert steady(column) == (column[:1] if len(alike) == 1 and plain else column)


def test_steady_steps_of_time_cost_next_to_nothing() -> None:
    assert len(pack_times(list(range(1_767_200_400_000, 1_767_200_401_000)))) < 100


@BOTH_DRIVERS
async def test_nights_that_change_little_are_told_by_the_first(store: Database) -> None:
    """1,000 rows in an order that means nothing; a few come and go every night, and pages have other seams."""
    chance = random.Random(1)  # noqa: S311 - no secret
    keys = [f"{chance.getrandbits(64):016X}" for _ in range(1000)]
    served: dict[int, list[dict[str, Any]]] = {}
    for run in range(1, 6):
        rows = [row(key, run % 2, time=run * 1000 + place) for place, key in enumerate(keys)]
        size = 90 + 10 * run
        pages = [rows[start : start + size] for start in range(0, len(rows), size)]
        await snapshot(store, run, pages)
        served[run] = rows
        del keys[run * 50 : run * 50 + 3]
        keys[run * 30 : run * 30] = [f"new {run} {n}" for n in range(2)]
    sizes = dict.fromkeys(served, 0)
    for entry in await everything(store, "ledger"):
        if entry["kind"] == "page":
            sizes[entry["run"]] += len(entry["keys"]) + len(entry["times"])
            assert ("like" in entry) == (entry["run"] > 1)
    assert all(size < sizes[1] / 10 for run, size in sizes.items() if run > 1), sizes
    for run, rows in served.items():
        manifest = await get_manifest(store, run, CMC, "ua_org")
        assert (manifest.like_run, manifest.like_pass) == ((1, 1) if run > 1 else (None, None))
        assert await collected(export(store, manifest)) == rows


async def test_an_order_that_has_nothing_in_common_stands_by_itself(store: Database) -> None:
    rows = [row(f"k{number:03d}") for number in range(100)]
    await snapshot(store, 1, [rows])
    await snapshot(store, 2, [rows[::-1]])
    await snapshot(store, 3, [rows[::-1]])
    second, third = [await get_manifest(store, run, CMC, "ua_org") for run in (2, 3)]
    assert second.like_run is None
    assert third.like_run == 2, "those that follow are told by it"
    assert await collected(export(store, third)) == rows[::-1]


async def test_a_second_pass_is_told_from_the_beginning(store: Database) -> None:
    rows = [row(f"k{number:03d}") for number in range(60)]
    await snapshot(store, 1, [rows[:30], rows[30:]])
    night = Night(store, 2)
    await night.begin()
    await night.take(rows[:30])
    await night.restart()
    await night.take(rows[:30], rows[30:])
    manifest = await night.finish(State.PUBLISHED)
    assert (manifest.like_run, manifest.stored_pass) == (1, 2)
    assert await collected(export(store, manifest)) == rows
