"""Which indexes the queries use, asked of MongoDB itself.

The commands are those that the code really sent: the profiler has kept them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from store_cases import CMC, Night, collected, row, snapshot

from subcmc_crawler.model import State
from subcmc_crawler.store import Database
from subcmc_crawler.store.reading import differences, export, history, prove
from subcmc_crawler.store.runs import (
    all_published_as_of,
    attempts_of,
    get_manifest,
    manifests_of,
    published_as_of,
)


def stages(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The stages of a plan with their index, the outermost first."""
    yield plan["stage"], plan.get("indexName", "")
    for inner in [plan.get("inputStage"), *plan.get("inputStages", [])]:
        if inner:
            yield from stages(inner)


async def profile(db: Database) -> list[dict[str, Any]]:
    found = db["system.profile"].find({"ns": {"$not": {"$regex": "system"}}}, sort=[("ts", 1)])
    return [entry async for entry in found]


def touched(entries: list[dict[str, Any]], collection: str, op: str) -> list[dict[str, Any]]:
    return [each for each in entries if each["ns"].endswith(f".{collection}") and each["op"] == op]


def planned(entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    return list(stages(entry["execStats"]))


@pytest.fixture
async def crowded(db: Database) -> Database:
    """A store with several provinces and nights, so that a bad plan would be a choice."""
    rows = [row(f"k{number:03d}", "1") for number in range(100)]
    for cmc in ("61", CMC, "63"):
        await snapshot(db, 1, [rows], cmc=cmc)
        await snapshot(db, 2, [[row(f"k{number:03d}", "2") for number in range(5)] + rows[5:]], cmc=cmc)
    await db.command("profile", 2)
    return db


async def test_a_night_reads_versions_from_the_index_alone(crowded: Database) -> None:
    night = Night(crowded, 3)
    await night.begin()
    await night.take([row(f"k{number:03d}", "3") for number in range(50)])
    await night.finish()
    entries = await profile(crowded)
    queries = touched(entries, "ua_org", "query")
    assert len(queries) == 4, (
        "what began since the first night, of that the page, the removed keys, and the proof"
    )
    for query, index in zip(queries, ("_id_", "version", "version", "version"), strict=True):
        names = [name for name, _ in planned(query)]
        assert ("IXSCAN", index) in planned(query), names
        assert not {"FETCH", "COLLSCAN", "SORT"} & set(names), names
        assert query["docsExamined"] == 0
    assert [query["nreturned"] for query in queries] == [5, 5, 50, 50]


async def test_rows_as_they_were_are_not_looked_up(crowded: Database) -> None:
    night = Night(crowded, 3)
    await night.begin()
    await night.take([row("k000", "3"), *(row(f"k{number:03d}", "1") for number in range(5, 100))])
    await night.finish()
    queries = touched(await profile(crowded), "ua_org", "query")
    assert [query["nreturned"] for query in queries] == [5, 1, 4, 96], (
        "begun since, changed, removed, the proof"
    )


async def test_a_rollback_touches_what_it_undoes_and_no_more(crowded: Database) -> None:
    await snapshot(crowded, 3, [[row("k000", "3")]], state=State.ROLLED_BACK)
    entries = await profile(crowded)
    for removal in touched(entries, "ua_org", "remove"):
        assert ("IXSCAN", "_id_") in planned(removal)
        assert removal["docsExamined"] == removal["ndeleted"] <= 1
    reopened = [each for each in touched(entries, "ua_org", "update") if "_id" not in each["command"]["q"]]
    assert len(reopened) == 1, "at the rollback: the begin has nothing to undo"
    for update in reopened:
        assert ("IXSCAN", "version") in planned(update)
        assert update["docsExamined"] == update["nModified"] == 100
        assert update["keysExamined"] <= 2 * 106, "the versions of the province, and no others"


async def test_readers_scan_no_collection(crowded: Database) -> None:
    manifest = await get_manifest(crowded, 2, CMC, "ua_org")
    await collected(export(crowded, manifest))
    await prove(crowded, manifest)
    await history(crowded, "ua_org", CMC, "k001")
    await differences(crowded, "ua_org", CMC, 1, 2)
    await manifests_of(crowded, 2)
    await published_as_of(crowded, 2, CMC, "ua_org")
    await all_published_as_of(crowded, 2, CMC, ["ua_org", "ua_user"])
    await attempts_of(crowded, manifest)
    await collected(crowded["current_ua_org"].find({"cmcId": CMC}))
    entries = [each for each in await profile(crowded) if "planSummary" in each]
    assert len(entries) >= 10
    assert [each["planSummary"] for each in entries if "COLLSCAN" in each["planSummary"]] == []
    changed = [each for each in touched(entries, "ua_org", "query") if "to" in str(each["command"]["filter"])]
    assert changed
    by_difference = [each for each in changed if "$gt" in str(each["command"]["filter"].get("to"))]
    assert by_difference
