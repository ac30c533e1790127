"""Reading in batches: every document comes once, and those that may be large never come many at a time."""

from __future__ import annotations

import json

import pytest
from store_cases import BOTH_DRIVERS, CMC, row, snapshot

from subcmc_crawler.store import Database
from subcmc_crawler.store.batches import batches

LARGE = 50_000  # bytes


@BOTH_DRIVERS
@pytest.mark.parametrize("field", ["record", "record.orgName"])
@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 400])
async def test_records_come_few_at_a_time_however_many_there_are(
    store: Database, rows: int, field: str
) -> None:
    """Four hundred of the largest would be 4 GB, of which one field may be nearly all."""
    served = [row(f"k{number:03d}", "x" * LARGE) for number in range(rows)]
    await snapshot(store, 1, [served[:200], served[200:]])
    found = batches(store["ua_org"], {"cmcId": CMC}, field, by="key", hint="version")
    some = [[version["record"]["orgName"] for version in batch] async for batch in found]
    assert [name for batch in some for name in batch] == [each["orgName"] for each in served]
    assert all(0 < len(json.dumps(batch)) < 110 * LARGE for batch in some)


@BOTH_DRIVERS
@pytest.mark.parametrize("rows", [0, 1, 5_000, 5_001])
async def test_what_is_small_comes_many_at_a_time(store: Database, rows: int) -> None:
    await snapshot(store, 1, [[row(f"k{number:04d}") for number in range(rows)]])
    found = batches(store["ua_org"], {"cmcId": CMC}, "key", by="key", hint="version")
    some = [[version["key"] for version in batch] async for batch in found]
    assert [key for batch in some for key in batch] == [f"k{number:04d}" for number in range(rows)]
    assert len(some) == -(-rows // 5_000)
