"""What a page is read as, what its rows are counted as, and the digests of both."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import (
    HASH_BYTES,
    Page,
    canonical,
    fingerprint,
    read,
    volatile_name,
)
from subcmc_crawler.province.tally import Displaced, Place, Tally, at, keys_at
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope, parse
from subcmc_crawler.spec.records import LONGEST_KEY, usable_key

NETWORK = DATASETS["infr_network"]
CMC_ID = "620000"
LONE_SURROGATE = "\ud800"


def page(rows: Sequence[Any], total: int | None = None) -> Page:
    return read(NETWORK, Envelope(0, "", total, list(rows), ()), CMC_ID)


def row(key: Any, content: Any = "a", **more: Any) -> dict[str, Any]:
    return {"netId": key, "operator": content, **more}


def sound(key: str, content: str = "a") -> dict[str, Any]:
    """A row that breaks no rule."""
    (made, *_) = Centre(CMC_ID, "甘肃省").rows("infr_network")
    made |= {"netId": key, "operator": content}
    return made


# ── a page ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_columns_of_a_page_belong_together() -> None:
    rows = [
        row("k1", collectTime=5),
        row(7, collectTime=None),
        {"operator": "x"},
        row(""),
        [1],
        "text",
        3,
        None,
    ]
    found = page(rows, 8)
    assert list(found.keys) == ["k1", "7", None, None, None, None, None, None]
    assert list(found.collect_times) == [5, None, None, None, None, None, None, None]
    assert found.reasons == {
        2: "missing-key",
        3: "empty-key",
        4: "not-an-object",
        5: "not-an-object",
        6: "not-an-object",
        7: "not-an-object",
    }
    assert [len(each) for each in found.hashes] == [HASH_BYTES] * 8
    assert found.facts().rows == 8
    assert found.facts().total == 8


@pytest.mark.parametrize(
    "key", [LONE_SURROGATE, "k" + LONE_SURROGATE, "长" * (LONGEST_KEY + 1), True, 1.5, [], {}]
)
def test_a_key_that_cannot_be_indexed_is_a_bad_key(key: Any) -> None:
    found = page([row(key)])
    assert list(found.keys) == [None]
    assert found.reasons == {0: "bad-key"}


@pytest.mark.parametrize("key", ["k" * LONGEST_KEY, "长", "a b", "$x.y", "k\0", 2**70])
def test_an_odd_key_is_kept_as_it_is(key: Any) -> None:
    assert list(page([row(key)]).keys) == [str(key)]


def test_a_key_under_a_stray_name_counts() -> None:
    assert list(page([{" netId ": "k1"}]).keys) == ["k1"]


def test_the_facts_of_a_page_depend_on_the_order_in_which_it_was_served() -> None:
    one, other = page([row("k1"), row("k2")]).facts(), page([row("k2"), row("k1")]).facts()
    assert one.keys != other.keys
    assert one.content != other.content


def test_the_keys_of_a_page_do_not_depend_on_its_content() -> None:
    one, other = page([row("k1", "a")]).facts(), page([row("k1", "b")]).facts()
    assert one.keys == other.keys
    assert one.content != other.content


def test_the_content_of_a_page_does_not_depend_on_the_time_of_collection() -> None:
    one, other = page([row("k1", collectTime=1)]).facts(), page([row("k1", collectTime=2)]).facts()
    assert one == other


@given(st.lists(st.text(max_size=3), max_size=5), st.lists(st.text(max_size=3), max_size=5))
@settings(deadline=None)
def test_the_digest_of_the_keys_knows_where_each_begins(one: list[str], other: list[str]) -> None:
    first, second = page([row(key) for key in one]), page([row(key) for key in other])
    assert (first.facts().keys == second.facts().keys) == (first.keys == second.keys)


# ── a fingerprint ───────────────────────────────────────────────────────────────────────────────────────

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=5)
    | st.just(LONE_SURROGATE),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.just("collectTime"), inner, max_size=3)
    ),
    max_leaves=6,
)
RECORDS = st.dictionaries(
    st.sampled_from(["netId", "operator", "collectTime", " collectTime ", "x"]) | st.text(max_size=3),
    JSON_VALUES,
    max_size=6,
)


@settings(deadline=None)
@given(RECORDS | JSON_VALUES)
def test_a_fingerprint_leaves_the_record_as_it_was(record: Any) -> None:
    before = copy.deepcopy(record)
    fingerprint(record)
    assert record == before
    assert json.dumps(record) == json.dumps(before)  # the order of keys and the kind of numbers too


@settings(deadline=None)
@given(RECORDS, JSON_VALUES, JSON_VALUES)
def test_a_fingerprint_ignores_the_value_of_collect_time(record: dict[str, Any], one: Any, two: Any) -> None:
    first = fingerprint({**record, "collectTime": one})
    second = fingerprint({**record, "collectTime": two})
    assert first[0] == second[0]
    assert json.dumps(first[1]) == json.dumps(one)


def test_a_fingerprint_knows_whether_there_is_a_collect_time() -> None:
    without, value = fingerprint({"netId": "k"})
    assert value is None
    assert fingerprint({"netId": "k", "collectTime": 1})[0] != without
    assert fingerprint({"netId": "k", "collectTime": None})[0] != without


def test_a_fingerprint_knows_a_stray_collect_time() -> None:
    record = {"netId": "k", " collectTime ": 5}
    assert volatile_name(record) == " collectTime "
    assert fingerprint(record)[1] == 5
    assert fingerprint(record)[0] == fingerprint({"netId": "k", " collectTime ": 6})[0]


def test_the_exact_collect_time_wins_over_a_stray_one() -> None:
    record = {" collectTime": 5, "collectTime": 6}
    assert volatile_name(record) == "collectTime"
    assert fingerprint(record)[0] != fingerprint({" collectTime": 7, "collectTime": 6})[0]


@settings(deadline=None)
@given(RECORDS)
def test_a_fingerprint_ignores_the_order_of_keys(record: dict[str, Any]) -> None:
    turned = dict(reversed(record.items()))
    if "collectTime" in record or sum(key.strip() == "collectTime" for key in record) < 2:
        assert fingerprint(turned)[0] == fingerprint(record)[0]


@settings(deadline=None)
@given(RECORDS, st.sampled_from(["netId", "operator", "x", ""]), JSON_VALUES)
def test_a_fingerprint_changes_with_every_other_value(record: dict[str, Any], key: str, value: Any) -> None:
    changed = {**record, key: value}
    same = fingerprint(changed)[0] == fingerprint(record)[0]
    assert same == (canonical({**record, "collectTime": 0}) == canonical({**changed, "collectTime": 0}))
    if key in record and type(value) is not float and not isinstance(value, dict | list):
        assert same == (type(record[key]) is type(value) and record[key] == value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        ("1", 1),
        (None, ""),
        ([], {}),
        (2**64, 2**64 + 1),
        ("\ud800", "\ud801"),
    ],
)
def test_values_that_are_not_the_same_have_different_texts(one: Any, other: Any) -> None:
    assert canonical({"x": one}) != canonical({"x": other})


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**500, LONE_SURROGATE, {LONE_SURROGATE: 1}])
def test_what_the_fast_writer_refuses_has_a_text_too(value: Any) -> None:
    record = row("k1", value)
    assert json.loads(canonical(record)) == record
    assert len(page([record]).hashes[0]) == HASH_BYTES


# ── a tally ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_key_is_distinct_and_stored() -> None:
    tally = Tally()
    found = tally.sort(page([row("k1"), row("k2")]), 0)
    assert (tuple(found.store), found.displaced, found.fresh) == ((0, 1), (), 2)
    assert (tally.received, tally.distinct, tally.repeated, tally.conflicting) == (2, 2, 0, 0)
    assert "k1" in tally
    assert "k3" not in tally


def test_the_same_key_and_content_again_is_repeated_and_not_stored() -> None:
    tally = Tally()
    tally.sort(page([row("k1", collectTime=1)]), 0)
    found = tally.sort(page([row("k1", collectTime=2)]), 1)
    assert (tuple(found.store), found.displaced, found.fresh) == ((), (), 0)
    assert (tally.received, tally.distinct, tally.repeated) == (2, 1, 1)


def test_the_same_key_with_other_content_displaces_the_earlier_row() -> None:
    tally = Tally()
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


def test_repetitions_are_displaced_with_the_row_they_repeat() -> None:
    """A, A, B: both places of A are told, so that both rows can be kept in quarantine."""
    tally = Tally()
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


def test_a_displaced_row_may_come_back() -> None:
    """A, B, A: the last one served is stored, and both earlier ones were displaced."""
    tally = Tally()
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


def test_flagged_counts_the_rows_that_stay_stored() -> None:
    good, bad = sound("k1"), sound("k1", "长" * 101)
    assert not page([good]).checked.flags
    assert page([bad]).checked.flags
    tally = Tally()
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
@given(SERVED, st.integers(1, 9))
def test_every_row_is_accounted_for_once(rows: list[Any], size: int) -> None:
    tally = Tally()
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


def snapshot_digest(rows: list[Any], size: int) -> str:
    """The digest of what a pass over `rows` would store, in the order of its keys."""
    tally = Tally()
    sorted_in(tally, rows, size)
    total = SnapshotDigest()
    for key in sorted({str(each["netId"]) for each in rows if isinstance(each, dict)}):
        content = tally.hash_of(key)
        assert content is not None
        total.add(key, content)
    return str(total)


@settings(deadline=None)
@given(st.permutations([row(number, number % 3) for number in range(12)]), st.integers(1, 12))
def test_the_digest_does_not_depend_on_the_order_of_serving(rows: list[Any], size: int) -> None:
    assert snapshot_digest(rows, size) == snapshot_digest(
        [row(number, number % 3) for number in range(12)], 5
    )


def test_the_digest_depends_on_every_key_and_every_content() -> None:
    served: list[list[Any]] = [
        [],
        [row("k1")],
        [row("k2")],
        [row("k1", "b")],
        [row("k1"), row("k2")],
        [row("k1"), row("k2", "b")],
    ]
    assert len({snapshot_digest(rows, 5) for rows in served}) == len(served)


def test_the_digest_is_that_of_the_rows_that_stay_stored() -> None:
    served = [row("k1", "A"), row("k1", "B"), row("k1", "B")]
    assert snapshot_digest(served, 5) == snapshot_digest([row("k1", "B")], 5)


@given(st.lists(st.lists(st.sampled_from([None, "k1", "k2", "k3", "k4", "k5"]), max_size=7), max_size=2))
def test_what_is_to_be_stored_has_its_keys_and_hashes(pages: list[list[str | None]]) -> None:
    tally = Tally()
    for ordinal, keys in enumerate(pages):
        found = page([{"netId": key, "netName": place % 2} for place, key in enumerate(keys)])
        stored = tally.sort(found, ordinal).store
        assert [*keys_at(found, stored)] == [keys[place] for place in stored]
        assert [*at(found.hashes, stored)] == [found.hashes[place] for place in stored]


def test_a_key_cannot_borrow_from_the_content_beside_it() -> None:
    one, other = SnapshotDigest(), SnapshotDigest()
    one.add("k", b"1" + bytes(15))
    other.add("k1", bytes(15))
    assert str(one) != str(other)


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.floats(), st.just("k" * 1025)), max_size=8))
def test_keys_judged_at_once_are_those_judged_one_by_one(values: list[Any]) -> None:
    found = page([{"netId": value} for value in values])
    alone = [usable_key(value) for value in values]
    assert list(found.keys) == [key for key, _ in alone]
    assert found.reasons == {place: why for place, (key, why) in enumerate(alone) if key is None}


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.integers() | st.text()), max_size=6), st.booleans())
def test_contents_hashed_at_once_are_those_hashed_one_by_one(rows: list[Any], alike: bool) -> None:
    rows = [{"netId": str(place), **row, "collectTime": place} for place, row in enumerate(rows)]
    if alike:
        rows = [{"netId": row["netId"], "a": row.get("a"), "collectTime": 7} for row in rows]
    before = copy.deepcopy(rows)
    found = page(rows)
    assert [*zip(found.hashes, found.collect_times, strict=True)] == [fingerprint(row) for row in before]
    assert rows == before
    assert [*map(list, rows)] == [*map(list, before)]


@given(st.sets(st.text(st.characters(exclude_categories=["Cs"]), max_size=1024)), st.integers(1, 5))
def test_the_digest_of_what_was_served_is_that_of_what_mongodb_sends(keys: set[str], step: int) -> None:
    rows = {key: bytes([number % 256]) * 16 for number, key in enumerate(keys)}
    ordered = sorted(rows, key=str.encode)
    sent, counted = SnapshotDigest(), SnapshotDigest()
    for start in range(0, len(ordered), step):
        batch = ordered[start : start + step]
        sent.add_encoded(b"".join(bson.encode({"key": key, "hash": rows[key]}) for key in batch))
        counted.add_all(batch, [rows[key] for key in batch])
    assert str(sent) == str(counted)


@given(st.integers(1, 40), st.sampled_from(["", "é", "人", "\0"]), st.integers(0, 90), st.integers(1, 60))
def test_keys_of_one_length_are_digested_as_any_keys_are(
    size: int, other: str, among: int, step: int
) -> None:
    keys = [f"{number:0{size}d}"[-size:] for number in range(90)]
    keys[among:among] = [other * size] if other else []
    hashes = [*map(blake2b_16, keys)]
    at_once, one_by_one, sent = SnapshotDigest(), SnapshotDigest(), SnapshotDigest()
    for start in range(0, len(keys), step):
        at_once.add_all(keys[start : start + step], iter(hashes[start : start + step]))
    for key, content in zip(keys, hashes, strict=True):
        one_by_one.add(key, content)
        sent.add_encoded(bson.encode({"key": key, "hash": content}))
    assert str(at_once) == str(one_by_one) == str(sent)


def blake2b_16(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=HASH_BYTES).digest()


def test_a_page_from_the_wire_keeps_what_json_can_hold() -> None:
    body = (
        b'{"code":0,"total":2,"data":[{"netId":"k1","x":123456789012345678901234567890},{"netId":"\\ud800"}]}'
    )
    found = read(NETWORK, parse(body), CMC_ID)
    assert found.records[0]["x"] == 123456789012345678901234567890
    assert list(found.keys) == ["k1", None]
    assert found.records[1]["netId"] == LONE_SURROGATE
