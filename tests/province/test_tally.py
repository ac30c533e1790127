"""What the rows of a pass are counted as, wherever their keys are kept."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_rows import LONE_SURROGATE, page, row, sound

from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.seen import Few, Many
from subcmc_crawler.province.tally import FEW, Displaced, Place, Tally, at, keys_at

BOTH = pytest.mark.parametrize("few", [FEW, 0], ids=["in-dictionaries", "in-a-table"])
ANY = st.sampled_from([FEW, 0, 2])


@BOTH
def test_a_new_key_is_distinct_and_stored(few: int) -> None:
    tally = Tally(few=few)
    found = tally.sort(page([row("k1"), row("k2")]), 0)
    assert (tuple(found.store), found.displaced, found.fresh) == ((0, 1), (), 2)
    assert (tally.received, tally.distinct, tally.repeated, tally.conflicting) == (2, 2, 0, 0)
    assert "k1" in tally
    assert "k3" not in tally
    assert LONE_SURROGATE not in tally  # what a row names may be any text


def test_the_same_key_and_content_again_is_repeated_and_not_stored() -> None:
    tally = Tally()
    tally.sort(page([row("k1", collectTime=1)]), 0)
    found = tally.sort(page([row("k1", collectTime=2)]), 1)
    assert (tuple(found.store), found.displaced, found.fresh) == ((), (), 0)
    assert (tally.received, tally.distinct, tally.repeated) == (2, 1, 1)


@BOTH
def test_the_same_key_with_other_content_displaces_the_earlier_row(few: int) -> None:
    tally = Tally(few=few)
    first = page([row("k0"), row("k1", "a")])
    tally.sort(first, 0)
    found = tally.sort(page([row("k1", "b")]), 1)
    assert (tuple(found.store), found.fresh) == ((0,), 0)
    assert found.displaced == (Displaced("k1", Place(0, 1), first.hashes[1]),)
    assert (tally.received, tally.distinct, tally.repeated, tally.conflicting) == (3, 2, 0, 1)


def test_on_one_page_the_last_of_conflicting_rows_is_stored() -> None:
    tally = Tally()
    served = page([row("k1", "a"), row("k2"), row("k1", "b")])
    found = tally.sort(served, 4)
    assert sorted(found.store) == [1, 2]
    assert found.displaced == (Displaced("k1", Place(4, 0), served.hashes[0]),)
    assert found.fresh == 2


@BOTH
def test_repetitions_are_displaced_with_the_row_they_repeat(few: int) -> None:
    """A, A, B: both places of A are told, so that both rows can be kept in quarantine."""
    tally = Tally(few=few)
    served = page([row("k1", "A")])
    tally.sort(served, 0)
    tally.sort(page([row("k2"), row("k1", "A")]), 1)
    found = tally.sort(page([row("k1", "B"), row("k1", "B")]), 2)
    (displaced,) = found.displaced
    assert (displaced.key, displaced.first, displaced.hash) == ("k1", Place(0, 0), served.hashes[0])
    assert tuple(displaced.places()) == (Place(0, 0), Place(1, 1))
    assert tuple(found.store) == (0,)
    assert (tally.received, tally.distinct, tally.repeated, tally.conflicting) == (5, 2, 2, 1)


def test_repetitions_are_remembered_by_their_place_alone() -> None:
    """A province may send the same row two million times: 8 bytes each, in one piece."""
    tally = Tally()
    same = page([row("k1")] * 1_000)
    for ordinal in range(100):
        tally.sort(same, ordinal)
    assert tally.repeated == 99_999
    (again,) = tally._again.values()
    assert len(again) == 8 * tally.repeated
    (displaced,) = tally.sort(page([row("k1", "b")]), 100).displaced
    assert displaced.again == bytes(again)
    assert sum(1 for _ in displaced.places()) == 100_000
    assert not tally._again


@BOTH
def test_a_displaced_row_may_come_back(few: int) -> None:
    """A, B, A: the last one served is stored, and both earlier ones were displaced."""
    tally = Tally(few=few)
    served = page([row("k1", "A"), row("k1", "B"), row("k1", "A")])
    found = tally.sort(served, 0)
    assert [(tuple(each.places()), each.hash) for each in found.displaced] == [
        ((Place(0, 0),), served.hashes[0]),
        ((Place(0, 1),), served.hashes[1]),
    ]
    assert tuple(found.store) == (2,)
    assert (tally.distinct, tally.repeated, tally.conflicting) == (1, 0, 2)


def test_rows_without_a_usable_key_are_quarantined_and_fresh() -> None:
    tally = Tally()
    found = tally.sort(page([{"operator": "x"}, {"operator": "x"}, "text", row(LONE_SURROGATE)]), 0)
    assert (tuple(found.store), found.displaced, found.fresh) == ((), (), 4)
    assert (tally.received, tally.quarantined, tally.distinct) == (4, 4, 0)


@BOTH
def test_flagged_counts_the_rows_that_stay_stored(few: int) -> None:
    good, bad = sound("k1"), sound("k1", "长" * 101)
    assert not page([good]).checked.flags
    assert page([bad]).checked.flags
    tally = Tally(few=few)
    tally.sort(page([bad]), 0)
    assert tally.flagged == 1
    tally.sort(page([bad]), 1)
    assert tally.flagged == 1, "a repetition is not stored a second time"
    tally.sort(page([good]), 2)
    assert tally.flagged == 0, "the flagged row was displaced"
    tally.sort(page([bad, sound("k2")]), 3)
    assert tally.flagged == 1


def test_the_hash_of_a_key_is_that_of_the_last_row_served() -> None:
    tally = Tally()
    served = page([row("k1", "A"), row("k1", "B")])
    tally.sort(served, 0)
    assert tally.hash_of("k1") == served.hashes[1]
    assert tally.hash_of("k2") is None
    assert tally.distinct == 1


SERVED = st.lists(
    st.builds(row, st.integers(1, 5), st.integers(0, 2))
    | st.builds(lambda key: row(key, "长" * 101), st.integers(1, 5))
    | st.sampled_from([{"operator": 1}, "text", None, row("")]),
    max_size=24,
)


def sorted_in(tally: Tally, rows: list[Any], size: int) -> list[tuple[int, Any]]:
    pages = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [(ordinal, tally.sort(page(each), ordinal)) for ordinal, each in enumerate(pages)]


@settings(deadline=None)
@given(SERVED, st.integers(1, 9), ANY)
def test_every_row_is_accounted_for_once(rows: list[Any], size: int, few: int) -> None:
    tally = Tally(few=few)
    outcome = sorted_in(tally, rows, size)
    assert tally.received == len(rows)
    assert tally.received == tally.distinct + tally.repeated + tally.conflicting + tally.quarantined
    last: dict[str, Any] = {}
    stored: dict[str, bytes] = {}
    displaced: Counter[Place] = Counter()
    for ordinal, found in outcome:
        served = page(rows[ordinal * size : ordinal * size + size])
        for position in found.store:
            stored[str(served.keys[position])] = served.hashes[position]
        for each in found.displaced:
            displaced.update(each.places())
            for place in each.places():
                whence = page(rows[place.ordinal * size : place.ordinal * size + size])
                assert whence.keys[place.position] == each.key
                assert whence.hashes[place.position] == each.hash
    whole = page(rows)
    for key, content in zip(whole.keys, whole.hashes, strict=True):
        if key is not None:
            last[key] = content
    assert stored == last
    assert set(displaced.values()) <= {1}
    assert {key: tally.hash_of(key) for key in last} == last
    assert tally.distinct == len(last)
    assert sum(found.fresh for _, found in outcome) == tally.distinct + tally.quarantined
    flagged_at_last = {
        key: position in whole.checked.flags for position, key in enumerate(whole.keys) if key is not None
    }
    for key, content in last.items():  # a repetition does not change which row is stored
        places = [at for at, each in enumerate(whole.keys) if each == key and whole.hashes[at] == content]
        assert flagged_at_last[key] == (places[0] in whole.checked.flags)
    assert tally.flagged == sum(flagged_at_last.values())


def snapshot_digest(rows: list[Any], size: int, few: int = FEW) -> str:
    """The digest of what a pass over `rows` would store, in the order of its keys."""
    tally = Tally(few=few)
    sorted_in(tally, rows, size)
    total = SnapshotDigest()
    for key in sorted({str(each["netId"]) for each in rows if isinstance(each, dict)}):
        content = tally.hash_of(key)
        assert content is not None
        total.add(key, content)
    assert tally.digest() == str(total)
    return str(total)


@settings(deadline=None)
@given(
    st.permutations(
        [row(number, number % 3) for number in range(12)] + [row("人"), row("\U0001f46e"), row("\uffe5")]
    ),
    st.integers(1, 15),
    ANY,
)
def test_the_digest_does_not_depend_on_the_order_of_serving(rows: list[Any], size: int, few: int) -> None:
    ordered = sorted(rows, key=lambda each: str(each["netId"]).encode())
    assert snapshot_digest(rows, size, few) == snapshot_digest(ordered, 5)


@BOTH
def test_the_digest_depends_on_every_key_and_every_content(few: int) -> None:
    served: list[list[Any]] = [
        [],
        [row("k1")],
        [row("k2")],
        [row("k1", "b")],
        [row("k1"), row("k2")],
        [row("k1"), row("k2", "b")],
    ]
    assert len({snapshot_digest(rows, 5, few) for rows in served}) == len(served)


@BOTH
def test_the_digest_is_that_of_the_rows_that_stay_stored(few: int) -> None:
    served = [row("k1", "A"), row("k1", "B"), row("k1", "B")]
    assert snapshot_digest(served, 5, few) == snapshot_digest([row("k1", "B")], 5)


def test_more_keys_than_a_few_are_kept_in_a_table() -> None:
    tally = Tally(few=2)
    tally.sort(page([row("k1"), row("k2")]), 0)
    assert isinstance(tally._seen, Few)
    tally.sort(page([row("k1", "b"), row("k3")]), 1)
    assert isinstance(tally._seen, Many)
    assert (tally.distinct, tally.conflicting) == (3, 1)


def test_the_table_goes_with_the_tally() -> None:
    tally = Tally(few=0)
    tally.sort(page([row("k1")]), 0)
    assert isinstance(tally._seen, Many)
    table = tally._seen._table
    kept = [tally]
    del tally
    collector = threading.Thread(target=kept.clear)  # whoever lets go of it last
    collector.start()
    collector.join()
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        table.execute("SELECT 1")


@given(st.lists(st.lists(st.sampled_from([None, "k1", "k2", "k3", "k4", "k5"]), max_size=7), max_size=2), ANY)
def test_what_is_to_be_stored_has_its_keys_and_hashes(pages: list[list[str | None]], few: int) -> None:
    tally = Tally(few=few)
    for ordinal, keys in enumerate(pages):
        found = page([{"netId": key, "netName": place % 2} for place, key in enumerate(keys)])
        stored = tally.sort(found, ordinal).store
        assert [*keys_at(found, stored)] == [keys[place] for place in stored]
        assert [*at(found.hashes, stored)] == [found.hashes[place] for place in stored]
