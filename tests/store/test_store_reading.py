"""Exports, differences, histories, proofs and views: readers see what is published, and that exactly."""

from __future__ import annotations

from typing import Any

import pytest
from store_cases import AT, BOTH_DRIVERS, CMC, ORG, Night, collected, everything, page_of, row, snapshot

from subcmc_crawler.errors import NotFound
from subcmc_crawler.model import Acceptance, Manifest, State
from subcmc_crawler.province.page import read
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.envelope import Envelope
from subcmc_crawler.store import Database
from subcmc_crawler.store.reading import (
    KeyChange,
    differences,
    distinct_records,
    export,
    history,
    pages_as_served,
    prove,
)
from subcmc_crawler.store.runs import accept

pytestmark = BOTH_DRIVERS

ONE = [row("a", "1"), row("b", "1"), row("c", "1")]
TWO = [row("c", "1", time=2), row("b", "2", time=2), row("d", "1", time=2)]
THREE = [row("a", "1", time=3), row("b", "1", time=3), row("d", "1", time=3)]


async def three_nights(db: Database) -> list[Manifest]:
    return [await snapshot(db, run, [rows]) for run, rows in enumerate((ONE, TWO, THREE), start=1)]


async def view(db: Database, dataset: str = "ua_org") -> list[dict[str, Any]]:
    """The records that the view of a dataset shows, by key."""
    found = sorted(await everything(db, f"current_{dataset}"), key=lambda version: str(version["key"]))
    return [version["record"] for version in found]


async def test_every_night_can_be_exported_as_it_was_served(store: Database) -> None:
    for manifest, rows in zip(await three_nights(store), (ONE, TWO, THREE), strict=True):
        assert await collected(export(store, manifest)) == rows


async def test_an_export_keeps_pages_in_the_order_in_which_they_were_walked(store: Database) -> None:
    rows = [row(f"{(7 * number) % 23:02d}", str(number)) for number in range(23)]
    manifest = await snapshot(store, 1, [rows[:10], [], rows[10:20], rows[20:]])
    assert await collected(export(store, manifest)) == rows


async def test_a_repeated_row_is_exported_as_often_as_it_came(store: Database) -> None:
    rows = [row("a", "1", time=1), row("a", "1", time=2), row("b", "1"), row("a", "1", time=3)]
    manifest = await snapshot(store, 1, [rows[:3], rows[3:]])
    exported = await collected(export(store, manifest))
    assert exported == rows
    exported[0]["orgName"] = "mine"
    assert exported[1] == rows[1], "rows are the reader's own"


async def test_a_page_larger_than_an_answer_of_mongodb_is_exported_whole(store: Database) -> None:
    rows = [row(f"{number:03d}", "x" * 50_000) for number in range(350)]
    manifest = await snapshot(store, 1, [rows[:3], rows[3:], [{"no": "key"}]])
    assert await collected(export(store, manifest)) == [*rows, {"no": "key"}]


async def test_a_page_that_is_read_back_is_told_as_it_was_when_it_was_served(store: Database) -> None:
    """MongoDB gives numbers past 32 bits a type of its own."""
    wide = {"cmcId": 2**40, "parentOrgId": 2**41, "orgName": 2**42}
    rows = [row(2**40) | wide, row("a"), row(2**31), row(-(2**40)), row(7), row(True)]
    await snapshot(store, 1, [rows])
    (back,) = [each async for each in pages_as_served(store, 1, CMC, "ua_org", 1)]
    served, again = page_of(rows), read(ORG, Envelope(0, "", None, back.rows, ()), CMC)
    assert (again.keys, again.reasons) == (served.keys, served.reasons)
    assert again.content == served.content
    assert again.checked == served.checked


async def test_distinct_records_come_by_key(store: Database) -> None:
    await snapshot(store, 1, [[row("b", "1"), row("a", "1"), {"no": "key"}, row("b", "2")]])
    manifest = await snapshot(store, 2, [[row("b", "2", time=9), row("a", "1", time=9)]])
    assert await collected(distinct_records(store, manifest)) == [[row("a", "1"), row("b", "2")]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (1, 2, {"a": "removed", "b": "changed", "d": "added"}),
        (2, 3, {"a": "added", "b": "changed", "c": "removed"}),
        (1, 3, {"c": "removed", "d": "added"}),  # what changed and changed back is no difference
        (1, 1, {}),
        (3, 3, {}),
    ],
)
async def test_differences(store: Database, old: int, new: int, expected: dict[str, str]) -> None:
    await three_nights(store)
    await snapshot(store, 4, [[row("staged", "1")]], state=State.HELD)
    await snapshot(store, 1, [[row("z", "1")]], cmc="620")
    found = await differences(store, "ua_org", CMC, old, new)
    assert found == [KeyChange(key, change) for key, change in sorted(expected.items())]


async def test_the_history_of_a_key_is_its_versions_oldest_first(store: Database) -> None:
    await three_nights(store)
    spans = [
        (each.start, each.end, each.record["orgName"], each.state)
        for each in await history(store, "ua_org", CMC, "b")
    ]
    assert spans == [
        (1, 2, "1", State.PUBLISHED),
        (2, 3, "2", State.PUBLISHED),
        (3, None, "1", State.PUBLISHED),
    ]
    gone = await history(store, "ua_org", CMC, "c")
    assert [(each.start, each.end) for each in gone] == [(1, 3)]
    assert all(len(each.hash) == 32 for each in gone)
    assert gone[0].flags == ("parentOrgId:required",)


async def test_a_wrong_collect_time_is_counted_in_its_night_and_is_no_flag_of_the_version(
    store: Database,
) -> None:
    sound = {"orgId": "a", "orgName": "x", "parentOrgId": "b", "collectTime": 1}
    nights = [
        await snapshot(store, run, [[{**sound, "collectTime": time}]])
        for run, time in enumerate(("soon", 2, None), 1)
    ]
    assert [(each.counts.flagged, each.counts.unchanged) for each in nights] == [(1, 0), (0, 1), (1, 1)]
    (version,) = await history(store, "ua_org", CMC, "a")
    assert (version.start, version.end, version.flags) == (1, None, ())


async def test_the_history_tells_what_is_only_held(store: Database) -> None:
    await snapshot(store, 1, [ONE])
    await snapshot(store, 2, [TWO], state=State.HELD)
    states = [each.state for each in await history(store, "ua_org", CMC, "b")]
    assert states == [State.PUBLISHED, State.HELD]


@pytest.mark.parametrize(("cmc", "key"), [(CMC, "nobody"), ("620", "a"), (CMC, "")])
async def test_the_history_of_an_unknown_key_names_it(store: Database, cmc: str, key: str) -> None:
    await snapshot(store, 1, [ONE])
    with pytest.raises(NotFound, match=repr(key)):
        await history(store, "ua_org", cmc, key)


async def test_a_proof_holds_for_every_night(store: Database) -> None:
    for manifest in await three_nights(store):
        proof = await prove(store, manifest)
        assert proof.holds(manifest)
        assert (proof.rows, proof.damaged) == (3, ())


@pytest.mark.parametrize(
    ("tampering", "damaged"),
    [
        ({"$set": {"record.orgName": "forged"}}, ("b",)),
        ({"$unset": {"record.orgName": ""}}, ("b",)),
        ({"$set": {"record.new": 1}}, ("b",)),
        ({"$unset": {"record.collectTime": ""}}, ("b",)),
        ({"$set": {"record": {"$subcmc.json": "{}"}}}, ("b",)),
        ({"$set": {"hash": b"0123456789abcdef"}}, ("b",)),
        ({"$set": {"key": "bb"}}, ()),  # its content is its own, and yet the digest tells
        ({"$set": {"to": 1}}, ()),
        ({"$set": {"cmcId": "620"}}, ()),
    ],
    ids=str,
)
async def test_a_proof_finds_what_was_tampered_with(
    store: Database, tampering: dict[str, Any], damaged: tuple[str, ...]
) -> None:
    manifest = await snapshot(store, 1, [ONE])
    await store["ua_org"].update_one({"key": "b"}, tampering)
    proof = await prove(store, manifest)
    assert not proof.holds(manifest)
    assert proof.damaged == damaged


async def test_a_proof_finds_what_is_missing_and_what_is_doubled(store: Database) -> None:
    manifest = await snapshot(store, 1, [ONE])
    taken = await store["ua_org"].find_one_and_delete({"key": "b"})
    assert taken is not None
    assert not (await prove(store, manifest)).holds(manifest)
    await store["ua_org"].insert_many([taken, {**taken, "_id": "another"}])
    proof = await prove(store, manifest)
    assert (proof.rows, proof.damaged) == (4, ())
    assert not proof.holds(manifest)


async def test_a_proof_names_the_first_hundred_damaged_keys(store: Database) -> None:
    manifest = await snapshot(store, 1, [[row(f"{number:03d}") for number in range(120)]])
    await store["ua_org"].update_many({}, {"$set": {"record.orgName": "forged"}})
    assert (await prove(store, manifest)).damaged == tuple(f"{number:03d}" for number in range(100))


# Views


async def test_a_view_shows_a_snapshot_from_the_moment_it_is_published(store: Database) -> None:
    night = Night(store, 1)
    assert await view(store) == []
    await night.begin()
    await night.take(ONE[:2])
    assert await view(store) == []
    await night.take(ONE[2:])
    assert await view(store) == []
    await night.finish()
    assert await view(store) == ONE

    second = Night(store, 2)
    await second.begin()
    await second.take(TWO)
    assert await view(store) == ONE, "what is staged is not shown, what it closes is"
    await second.finish()
    # a row that did not change keeps the collectTime under which it was stored
    assert await view(store) == [row("b", "2", time=2), row("c", "1", time=1), row("d", "1", time=2)]


@pytest.mark.parametrize("state", [State.HELD, State.ROLLED_BACK])
async def test_a_view_does_not_show_what_is_not_published(store: Database, state: State) -> None:
    await snapshot(store, 1, [ONE])
    manifest = await snapshot(store, 2, [TWO], state=state)
    assert await view(store) == ONE
    if state is State.HELD:
        by = Acceptance(by="operator", at=AT, reason="right")
        await accept(store, manifest, digest=manifest.digest or "", acceptance=by)
        assert [each["orgId"] for each in await view(store)] == ["b", "c", "d"]


async def test_a_view_shows_the_last_snapshot_of_each_province(store: Database) -> None:
    await snapshot(store, 1, [ONE], cmc="62")
    await snapshot(store, 1, [ONE], cmc="620")
    await snapshot(store, 2, [TWO], cmc="62")
    await snapshot(store, 2, [[{"assetId": "h"}]], cmc="62", dataset=DATASETS["hardware"])
    shown = {(each["cmcId"], each["key"]) for each in await everything(store, "current_ua_org")}
    assert shown == {("620", "a"), ("620", "b"), ("620", "c"), ("62", "b"), ("62", "c"), ("62", "d")}
    assert await view(store, "hardware") == [{"assetId": "h"}]
    assert await view(store, "pm_app") == []
