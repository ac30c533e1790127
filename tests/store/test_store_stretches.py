"""What is read in stretches is what a cursor reads, byte for byte; and a lost connection costs a question."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_cases import BOTH_DRIVERS

from subcmc_crawler.store import Database
from subcmc_crawler.store import stretches as reading
from subcmc_crawler.store.stretches import documents_in, stretches

SIZES = st.lists(
    st.tuples(st.sampled_from([1, 1, 1, 2, 9]), st.sampled_from([1, 3, 9, 90, 91, 950])), max_size=6
)


@given(SIZES, st.booleans())
def test_the_documents_of_an_answer_are_those_that_were_put_in(
    sizes: list[tuple[int, int]], first: bool
) -> None:
    keys = [f"{number % 10}" * size for size, count in sizes for number in range(count)]
    rows = [{"key": key, "hash": bytes(16)} for key in keys]
    rest = {"id": bson.Int64(0), "ns": "subcmc.firstBatch"}
    cursor = bson.encode({"firstBatch": rows, **rest} if first else {**rest, "firstBatch": rows})
    assert documents_in(cursor) == [*map(bson.encode, rows)]


async def read(db: Database, province: str = "1") -> list[dict[str, Any]]:
    wanted = {"cmcId": province, "to": {"$gt": 1}}
    found = stretches(db["ua_org"], wanted, "key", "hash", by="key", hint="version")
    return [bson.decode(row) async for rows in found for row in rows]


async def put(db: Database, *keys: str, run: int = 1, to: int = 2) -> None:
    """Versions of these keys in two provinces, as small as the validator takes them."""
    rest = {"from": run, "to": to, "flags": [], "record": {}}
    rows = [
        {"_id": f"{province}/{run}/{key}", "cmcId": province, "key": key, "hash": key.encode()[-16:], **rest}
        for province in "12"
        for key in keys
    ]
    if rows:
        await db["ua_org"].insert_many(rows)


@BOTH_DRIVERS
@pytest.mark.parametrize("rows", [0, 1, 6, 7, 8, 13, 14, 60])
async def test_every_document_comes_once_and_in_order(
    store: Database, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 7)
    keys = ["k" * (number % 3) + f"{number:03d}é\0" for number in range(rows)]
    await put(store, *reversed(keys))
    await put(store, *keys[::2], run=0, to=1)
    ordered = sorted(keys, key=str.encode)
    assert await read(store) == [{"key": key, "hash": key.encode()[-16:]} for key in ordered]


async def test_an_answer_that_mongodb_ends_early_is_not_the_end(store: Database) -> None:
    """Four thousand and more of the longest keys, of the longest characters, are over 16 MB."""
    keys = [f"{number:04d}" + "\U0010ffff" * 1020 for number in range(4_300)]
    await put(store, *keys)
    assert [row["key"] for row in await read(store)] == keys


async def test_two_versions_of_a_key_never_look_like_one(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 3)
    keys = [f"{number}" for number in range(8)]
    await put(store, *keys)
    for key in keys:
        await put(store, key, run=0)
        found = [row["key"] for row in await read(store)]
        assert sorted(set(found)) == keys
        assert len(found) > len(keys)
        assert found.count(key) in (2, 3)
        await store["ua_org"].delete_many({"from": 0})
