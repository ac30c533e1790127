"""What a page is read as, and the digests of it and of a snapshot."""

from __future__ import annotations

import copy
import json
from hashlib import blake2b
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_rows import CMC_ID, LONE_SURROGATE, NETWORK, page, row

from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import (
    HASH_BYTES,
    canonical,
    fingerprint,
    probe,
    read,
    volatile_name,
)
from subcmc_crawler.spec.envelope import Envelope, parse
from subcmc_crawler.spec.records import LONGEST_KEY, usable_key

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


@pytest.mark.parametrize(
    "rows",
    [[], [row("k1"), row("k2")], [row("k1"), {"operator": "x"}], [row(7), row(""), "text"]],
    ids=["none", "alike", "a-key-missing", "odd"],
)
def test_the_closing_probe_compares_keys_and_total_alone(rows: list[Any]) -> None:
    """Walking, judge() row 2: other content under the same keys is no move."""
    changed = [{**each, "operator": "z"} if isinstance(each, dict) else each for each in rows]
    found = probe(NETWORK, Envelope(0, "", 9, changed, ()))
    assert (found.total, found.keys) == (9, page(rows).facts().keys)
    assert probe(NETWORK, Envelope(0, "", 9, [row("k0"), *rows], ())).keys != found.keys


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


# ── digests, and columns against rows ──────────────────────────────────────────────────────────────────


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
