"""What JSON can hold comes back from a real MongoDB as it was, and a poison row harms no other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.collection import Collection
from store_cases import CMC, Night, collected, exact, row

from subcmc_crawler.model import OPEN_END
from subcmc_crawler.province.page import fingerprint
from subcmc_crawler.spec.envelope import parse
from subcmc_crawler.store import Database
from subcmc_crawler.store.codec import (
    WRAPPED,
    decode_record,
    dump_json,
    encode_record,
    encode_version,
    pack,
    unpack,
)
from subcmc_crawler.store.reading import export, prove

ODD_NAMES = [
    "",
    ".",
    "$",
    "a.b",
    "$set",
    "$ref",
    "$id",
    "$db",
    "$oid",
    "_id",
    "\0",
    "a\0b",
    WRAPPED,
    "\ud800",
]
ODD_NUMBERS = [
    1,
    1.0,
    0.0,
    -0.0,
    -1,
    2**31,
    -(2**31) - 1,
    2**63 - 1,
    -(2**63),
    2**63,
    2**64,
    2**70,
    1e16,
    5e-324,
]

names = st.one_of(st.sampled_from(ODD_NAMES), st.text(max_size=5))
texts = st.one_of(st.sampled_from(["", "\0", "\udfff", "a\ud83d", "😀"]), st.text(max_size=8))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(names, inner, max_size=4),
        st.fixed_dictionaries({"$ref": texts}, optional={"$id": inner, "$db": texts, "a": inner}),
    ),
    max_leaves=12,
)
records = st.dictionaries(names, values, max_size=6)


def served(value: Any) -> Any:
    """The value as the parser gives it: no two halves of a surrogate pair stay side by side."""
    return json.loads(json.dumps(value))


@pytest.fixture(scope="module")
def shelf(mongod_uri: str) -> Iterator[Collection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        yield client.get_database("test_codec", CodecOptions(tz_aware=True))["versions"]
        client.drop_database("test_codec")


def version(record: dict[str, Any], key: str = "k") -> dict[str, Any]:
    return {
        "_id": f"{CMC}/00000001/{key}",
        "cmcId": CMC,
        "key": key,
        "from": 1,
        "to": OPEN_END,
        "hash": b"0123456789abcdef",
        "flags": [],
        "record": record,
    }


def through_mongodb(shelf: Collection[dict[str, Any]], record: dict[str, Any]) -> Any:
    shelf.delete_many({})
    shelf.insert_one(encode_version(version(record)))
    found = shelf.find_one({})
    assert found is not None
    assert {**found, "record": None} == {**version(record), "record": None}
    return decode_record(found["record"])


@settings(max_examples=250, deadline=None, derandomize=True)
@given(record=records.map(served))
def test_any_record_comes_back_exactly(shelf: Collection[dict[str, Any]], record: dict[str, Any]) -> None:
    before = exact(record)
    stored = through_mongodb(shelf, record)
    assert exact(stored) == before
    assert exact(record) == before, "encoding must not change what was served"
    assert fingerprint(stored) == fingerprint(record)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(raw=values.map(served))
def test_any_row_without_a_key_comes_back_exactly(shelf: Collection[dict[str, Any]], raw: Any) -> None:
    shelf.delete_many({})
    shelf.insert_one({"_id": "1", "raw": encode_record(raw)})
    found = shelf.find_one({})
    assert found is not None
    assert isinstance(found["raw"], dict)
    assert exact(decode_record(found["raw"])) == exact(raw)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(column=st.lists(values.map(served), max_size=6))
def test_any_column_comes_back_exactly(column: list[Any]) -> None:
    assert exact(unpack(pack(column))) == exact(column)


def nested(depth: int, *, lists: bool) -> Any:
    value: Any = "deepest"
    for _ in range(depth):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("depth", [1, 70, 78, 79, 80, 81, 100, 180, 190])
def test_any_depth_that_the_parser_takes_comes_back(
    shelf: Collection[dict[str, Any]], depth: int, lists: bool
) -> None:
    record = {"orgId": "1", "extra": nested(depth, lists=lists)}
    assert exact(through_mongodb(shelf, record)) == exact(record)


@pytest.mark.parametrize(
    "record",
    [
        {WRAPPED: "{}"},
        {WRAPPED: 1, "orgId": "1"},
        {"orgId": {WRAPPED: "[]"}},
        {"$ref": "ua_org", "$id": 1},
        {"orgId": "1", "parent": {"$ref": "ua_org", "$id": 1, "$db": "x", "more": 2}},
        {"orgId": "1", "parents": [{"$ref": "ua_org"}]},
        {"_id": 1, "orgId": "1"},
        {"orgId": "1", "_id": {"_id": 2, "a": 1}},
    ],
    ids=str,
)
def test_names_that_mean_something_to_somebody_are_only_names(
    shelf: Collection[dict[str, Any]], record: dict[str, Any]
) -> None:
    assert exact(through_mongodb(shelf, record)) == exact(record)


def test_an_ordinary_record_is_stored_as_it_is() -> None:
    """Other systems read the collections: only what BSON cannot hold may look odd there."""
    record = {"orgId": "1", "n": 2**63 - 1, "x": 1.5, "list": ["a", {"b": None}], "a.b": {"$c": 1}, "": 0}
    assert encode_record(record) is record
    assert encode_version(version(record))["record"].keys() == record.keys()


@pytest.mark.parametrize("value", [2**63, {"a\0b": 1}, "\ud800", {"$ref": 1}], ids=ascii)
def test_what_bson_cannot_hold_is_wrapped_as_json(value: Any) -> None:
    stored = encode_record({"orgId": "1", "x": value})
    assert list(stored) == [WRAPPED]
    assert json.loads(stored[WRAPPED]) == {"orgId": "1", "x": value}


MEGABYTE = 1_000_000


def poison(kind: str) -> str:
    """The JSON text of a value that grows: half a surrogate pair makes text of 9 MB one of 18 MB.

    Lists grow as well, but not past 16 MB: the envelope has a limit of commas.
    """
    return {
        "text": '"' + "a" * (9 * MEGABYTE) + '"',
        "integers": "[" + "9999999999," * (MEGABYTE * 9 // 10) + "1]",
        "surrogate": '"\\ud800' + "机" * (3 * MEGABYTE) + '"',
    }[kind]


@pytest.mark.parametrize("kind", ["text", "integers", "surrogate"])
async def test_a_poison_row_loses_no_other_row_of_its_page(store: Database, kind: str) -> None:
    poisoned = f'{{"orgId": "poison", "orgName": {poison(kind)}}}'
    keyless = f'{{"orgName": {poison(kind)}}}' if kind == "surrogate" else "1"
    text = f"[{json.dumps(row('a'))}, {poisoned}, {json.dumps(row('b'))}]"
    assert len(text.encode()) < 10 * 1024 * 1024
    rows = parse(f'{{"code": 0, "total": 3, "data": {text}}}'.encode()).rows
    expected = [exact(each) for each in rows]
    night = Night(store, 1)
    await night.begin()
    await night.take(rows, [json.loads(keyless)])
    manifest = await night.finish()
    assert manifest.counts.distinct == 3
    exported = await collected(export(store, manifest))
    assert [exact(each) for each in exported[:3]] == expected
    assert exact(exported[3]) == exact(json.loads(keyless))
    assert (await prove(store, manifest)).holds(manifest)


async def test_odd_rows_stand_beside_ordinary_ones(store: Database) -> None:
    odd: list[dict[str, Any]] = [
        {**row(name), name or "empty": value}
        for name, value in [
            ("deep", nested(190, lists=True)),
            ("wide", 2**70),
            ("half", "\ud800"),
            ("nul", {"\0": 1}),
            ("wrapped", {WRAPPED: "1"}),
            ("reference", {"$ref": "a", "$id": "b"}),
            (WRAPPED, 1),
            ("key\0nul", 1),
            ("机\uffff", 1),
            ("😀", 1),
        ]
    ]
    rows = [row("first"), *odd, row("last")]
    night = Night(store, 1)
    await night.begin()
    await night.take(rows)
    manifest = await night.finish()
    assert [exact(each) for each in await collected(export(store, manifest))] == [
        exact(each) for each in rows
    ]
    assert (await prove(store, manifest)).holds(manifest)


def test_dump_json_is_shortest_text_in_key_order() -> None:
    assert (
        dump_json({"b": 1, "a": [1.0, "机", 2**70]})
        == '{"b":1,"a":[1.0,"机",1180591620717411303424]}'.encode()
    )
