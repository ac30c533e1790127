"""Runs, their manifests and ledgers, and the operator's acceptance of what is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from store_cases import (
    AT,
    BOTH_DRIVERS,
    CMC,
    Night,
    attempt,
    collected,
    everything,
    opened,
    pass_facts,
    row,
    snapshot,
)
from store_tripwire import Killed, Tripwire

from subcmc_crawler.errors import NotFound, StoreLost, TryLater
from subcmc_crawler.model import Acceptance, Manifest, RunRecord, RunStatus, State, Verdict
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.reading import export
from subcmc_crawler.store.runs import (
    abandon,
    accept,
    all_published_as_of,
    attempts_of,
    begin_run,
    earlier_manifests,
    finish_run,
    get_manifest,
    get_run,
    heads,
    last_whole_run,
    list_runs,
    manifests_of,
    page_entries,
    published_as_of,
    recover,
    resolve_province,
    write_manifest,
)

pytestmark = BOTH_DRIVERS

BY = Acceptance(by="王", at=AT, reason="the province merged two offices")
ONE = [row("a", "1"), row("b", "1"), row("c", "1")]
TWO = [row("a", "2")]


def begun(**more: object) -> RunRecord:
    return replace(RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT), **more)  # type: ignore[arg-type]


async def test_runs_are_numbered_in_the_order_they_began(store: Database) -> None:
    with pytest.raises(NotFound, match="no run yet"):
        await get_run(store)
    whole = begun(selection=("620000", "ua_org"), registry="provinces.toml", version="1", notices=("x.y",))
    records = [await begin_run(store, whole), await begin_run(store, begun())]
    assert records == [replace(whole, number=1), replace(begun(), number=2)]
    assert [await get_run(store, 1), await get_run(store)] == records
    assert await list_runs(store, 10) == records[::-1]
    assert await list_runs(store, 1) == [records[1]]
    with pytest.raises(NotFound, match="no run 3; the last one is 2"):
        await get_run(store, 3)


async def test_a_finished_run_has_the_verdicts_of_its_manifests(store: Database) -> None:
    await begin_run(store, begun())
    await snapshot(store, 1, [ONE])
    await snapshot(store, 1, [ONE], cmc="620")
    await snapshot(store, 1, [ONE], cmc="62", state=State.HELD)
    await Night(store, 1, cmc="6").begin()  # still collecting: no verdict
    at = AT + timedelta(hours=1)
    finished = await finish_run(store, 1, RunStatus.STOPPED, at)
    expected = {"proven": 2, "shrunk": 1}
    assert finished == begun(number=1, status=RunStatus.STOPPED, finished_at=at, summary=expected)
    assert await get_run(store, 1) == finished


async def test_a_crashed_run_is_marked_and_undone(store: Database) -> None:
    await begin_run(store, begun())
    await snapshot(store, 1, [ONE])
    await finish_run(store, 1, RunStatus.FINISHED, AT)
    before = await everything(store, "ua_org")
    await begin_run(store, begun())
    night = Night(store, 2)
    await night.begin()
    await night.take([*TWO, row("n"), {"no": "key"}])
    await night.writer.finish(night.tally)
    await begin_run(store, begun())
    assert await recover(store, 3) == [2]
    assert await everything(store, "ua_org") == before
    states = [(await get_run(store, number)).status for number in (1, 2, 3)]
    assert states == [RunStatus.FINISHED, RunStatus.CRASHED, RunStatus.RUNNING]
    assert (await get_manifest(store, 2, CMC, "ua_org")).state is State.ROLLED_BACK
    assert await recover(store, 3) == []


async def test_recovery_leaves_alone_what_is_published_held_or_not_over(store: Database) -> None:
    await snapshot(store, 1, [ONE], cmc="1")
    await snapshot(store, 1, [ONE], cmc="2")
    held = await snapshot(store, 2, [TWO], cmc="2", state=State.HELD)
    ours = Night(store, 3, cmc="3")
    await ours.begin()
    await ours.take(ONE)
    before = [await everything(store, name) for name in ("ua_org", "snapshots", "runs")]
    assert await recover(store, 3) == []
    assert [await everything(store, name) for name in ("ua_org", "snapshots", "runs")] == before
    assert await collected(export(store, held)) == TWO
    assert await collected(export(store, await ours.finish())) == ONE


async def test_a_recovery_that_crashed_is_taken_up_again(store: Database) -> None:
    await snapshot(store, 1, [ONE])
    before = await everything(store, "ua_org")
    writes = 1
    done = False
    while not done:
        night = Night(store, writes + 1)
        await night.begin()
        await night.take([*TWO, row("n")])
        await night.writer.finish(night.tally)
        wire = Tripwire(store, at=writes, mode="half")
        try:
            await recover(wire.database, writes + 2)
            done = True
        except Killed:
            await recover(store, writes + 2)
        assert await everything(store, "ua_org") == before, f"write {writes}"
        states = {each["state"] for each in await everything(store, "snapshots")}
        assert states == {"published", "rolled-back"}
        writes += 1
    assert writes > 5


async def test_a_cell_without_a_walk_has_a_manifest(store: Database) -> None:
    manifest = replace(
        opened(1), state=State.NONE, verdict=Verdict.UNREGISTERED, reason="no pull address is registered"
    )
    for _ in range(2):
        await write_manifest(store, manifest)
    assert await manifests_of(store, 1) == [manifest]
    with pytest.raises(NotFound, match=f"run 1 has no {CMC}/pm_app"):
        await get_manifest(store, 1, CMC, "pm_app")


async def test_manifests_come_by_province_and_dataset(store: Database) -> None:
    for cmc, code in [("620000", "ua_user"), ("110000", "ua_user"), ("620000", "pm_app")]:
        await snapshot(store, 7, [[]], cmc=cmc, dataset=DATASETS[code])
    await snapshot(store, 8, [[]])
    cells = [(each.cmc_id, each.dataset) for each in await manifests_of(store, 7)]
    assert cells == [("110000", "ua_user"), ("620000", "pm_app"), ("620000", "ua_user")]
    assert await manifests_of(store, 9) == []


async def test_what_is_in_force_in_a_run_is_the_last_published_up_to_it(store: Database) -> None:
    first = await snapshot(store, 2, [ONE])
    await snapshot(store, 3, [TWO], state=State.HELD)
    await snapshot(store, 4, [TWO], state=State.ROLLED_BACK)
    fifth = await snapshot(store, 5, [TWO])
    await snapshot(store, 5, [TWO], cmc="620")
    found = [await published_as_of(store, run, CMC, "ua_org") for run in range(1, 7)]
    assert found == [None, first, first, first, fifth, fifth]
    assert await published_as_of(store, 9, CMC, "pm_app") is None
    other = await snapshot(store, 4, [[]], dataset=DATASETS["pm_app"])
    for run, expected in ((1, []), (4, [first, other]), (6, [fifth, other])):
        together = await all_published_as_of(store, run, CMC, ["ua_user", "ua_org", "pm_app"])
        assert together == {each.dataset: each for each in expected}
    assert await all_published_as_of(store, 6, CMC, ["ua_org"]) == {"ua_org": fifth}
    assert await all_published_as_of(store, 6, CMC, []) == {}


async def test_heads_are_the_snapshots_in_force(store: Database) -> None:
    assert await heads(store) == []
    first = await snapshot(store, 1, [ONE])
    second = await snapshot(store, 2, [TWO])
    await snapshot(store, 3, [ONE], state=State.HELD)
    other = await snapshot(store, 1, [ONE], cmc="620")
    app = await snapshot(store, 1, [[]], dataset=DATASETS["pm_app"])
    await snapshot(store, 1, [[]], dataset=DATASETS["pm_service"], state=State.ROLLED_BACK)
    assert await heads(store) == [other, second, app], "by province, then as the specification lists them"
    assert await heads(store, 1) == [other, first, app]
    assert await heads(store, 0) == []


async def test_the_ledger_of_a_walk_is_its_own(store: Database) -> None:
    night = Night(store, 1)
    await night.begin()
    await night.take(ONE[:2], ONE[2:])
    faults = [attempt(fault="connect"), replace(attempt(fault="http"), status=503)]
    await night.writer.end_pass(1, pass_facts(), faults)
    await night.restart()
    await night.take(ONE)
    manifest = await night.finish()
    for cmc, code in [("620", "ua_org"), (CMC, "ua_user"), ("6200000", "ua_org")]:
        await snapshot(store, 1, [[], []], cmc=cmc, dataset=DATASETS[code])
    await snapshot(store, 11, [ONE])
    assert await attempts_of(store, manifest) == [
        attempt(1),
        attempt(2),
        attempt(fault="connect"),
        replace(attempt(fault="http"), status=503),
        attempt(1, walk_pass=2),
    ]
    pages = [(each["pass"], each["ordinal"], each["rows"]) for each in await page_entries(store, manifest)]
    assert pages == [(1, 0, 2), (1, 1, 1), (2, 0, 3)]
    first = (await page_entries(store, manifest))[0]
    assert "keys" not in first
    assert "times" not in first
    assert (first["declared"], first["tries"], first["at"], first["milliseconds"]) == (2, 1, AT, 1.5)


@pytest.mark.parametrize("step", ["not begun", "begun", "in its pages", "before its verdict"])
async def test_a_walk_that_broke_off_is_written_down_and_undone(store: Database, step: str) -> None:
    await snapshot(store, 1, [ONE])
    before = await everything(store, "ua_org")
    night = Night(store, 2)
    if step != "not begun":
        await night.begin()
    if step in ("in its pages", "before its verdict"):
        await night.take([*TWO, row("n")])
    if step == "before its verdict":
        await night.writer.finish(night.tally)
    broken = replace(opened(2), state=State.ROLLED_BACK, verdict=Verdict.INCOMPLETE, reason="our own defect")
    for _ in range(2):
        await abandon(store, [broken])
        assert await everything(store, "ua_org") == before
        assert await get_manifest(store, 2, CMC, "ua_org") == broken
    assert (await snapshot(store, 3, [TWO])).base == 1


@pytest.mark.parametrize("state", [State.PUBLISHED, State.HELD, State.ROLLED_BACK])
async def test_a_walk_that_has_its_verdict_is_not_abandoned(store: Database, state: State) -> None:
    await snapshot(store, 1, [ONE])
    settled = await snapshot(store, 2, [TWO], state=state)
    before = await everything(store, "ua_org")
    await abandon(store, [replace(opened(2), state=State.ROLLED_BACK, verdict=Verdict.INCOMPLETE)])
    assert await get_manifest(store, 2, CMC, "ua_org") == settled
    assert await everything(store, "ua_org") == before


async def test_a_walk_that_was_kept_from_beginning_leaves_what_is_held(store: Database) -> None:
    held_before = await snapshot(store, 1, [ONE], state=State.HELD)
    await abandon(store, [replace(opened(2), state=State.ROLLED_BACK, verdict=Verdict.INCOMPLETE)])
    assert await get_manifest(store, 1, CMC, "ua_org") == held_before
    assert await collected(export(store, held_before)) == ONE


def in_outline(manifest: Manifest) -> Manifest:
    """What is kept of it where hundreds are read: counts and verdict, and not what only its own page shows."""
    return replace(manifest, stored_pass=None, pages=0, like_run=None, like_pass=None)


async def test_looking_back(store: Database) -> None:
    made = [in_outline(await snapshot(store, run, [ONE])) for run in range(1, 6)]
    assert await earlier_manifests(store, 5) == made[:4]
    assert await earlier_manifests(store, 5, 2) == made[2:4]
    assert await earlier_manifests(store, 1) == []


async def test_the_last_whole_run_is_finished_and_of_everything(store: Database) -> None:
    assert await last_whole_run(store) is None
    for selection, status in [
        ((), RunStatus.FINISHED),
        ((), RunStatus.FINISHED),
        (("620000",), RunStatus.FINISHED),
        ((), RunStatus.STOPPED),
        ((), RunStatus.RUNNING),
    ]:
        record = await begin_run(store, begun(selection=selection))
        if status is not RunStatus.RUNNING:
            await finish_run(store, record.number, status, AT)
    assert await last_whole_run(store) == await get_run(store, 2)


async def test_a_province_is_known_by_its_identifier_and_its_name(store: Database) -> None:
    await snapshot(store, 1, [ONE])
    assert await resolve_province(store, CMC) == CMC
    assert await resolve_province(store, "甘肃省") == CMC
    with pytest.raises(NotFound, match="'陕西省' was ever pulled"):
        await resolve_province(store, "陕西省")


# Acceptance


async def held(db: Database) -> Manifest:
    await snapshot(db, 1, [ONE])
    return await snapshot(db, 2, [TWO], state=State.HELD)


async def test_accepting_publishes_that_very_snapshot(store: Database) -> None:
    manifest = await held(store)
    accepted = await accept(store, manifest, digest=(manifest.digest or "").upper()[:8], acceptance=BY)
    assert accepted == replace(manifest, state=State.PUBLISHED, accepted=BY)
    assert await published_as_of(store, 2, CMC, "ua_org") == accepted
    assert await collected(export(store, accepted)) == TWO
    third = await snapshot(store, 3, [TWO])
    assert (third.base, third.counts.unchanged) == (2, 1), "the next night is compared with it"


@pytest.mark.parametrize(
    "digest",
    ["", "0" * 32, "short", lambda known: known[:7], lambda known: known[1:], lambda known: known + "0"],
)
async def test_another_digest_is_refused(store: Database, digest: object) -> None:
    manifest = await held(store)
    given = digest(manifest.digest) if callable(digest) else str(digest)
    with pytest.raises(NotFound, match=f"has the digest {(manifest.digest or '')[:12]}"):
        await accept(store, manifest, digest=given, acceptance=BY)
    assert (await get_manifest(store, 2, CMC, "ua_org")) == manifest


@pytest.mark.parametrize("state", [State.PUBLISHED, State.ROLLED_BACK])
async def test_only_what_is_held_can_be_accepted(store: Database, state: State) -> None:
    manifest = await snapshot(store, 1, [ONE], state=state)
    with pytest.raises(NotFound, match=f"run 1 {CMC}/ua_org is {state}, not held"):
        await accept(store, manifest, digest=manifest.digest or "", acceptance=BY)


@pytest.mark.parametrize(
    "damage",
    [
        lambda versions: versions.delete_one({"from": 2}),
        lambda versions: versions.update_one({"from": 2}, {"$set": {"hash": b"0123456789abcdef"}}),
        lambda versions: versions.update_one({"to": 2, "key": "b"}, {"$set": {"to": 3}}),
    ],
)
async def test_a_held_snapshot_that_is_not_whole_any_more_is_refused(store: Database, damage: object) -> None:
    manifest = await held(store)
    assert callable(damage)
    await damage(store["ua_org"])
    with pytest.raises(NotFound, match="no longer holds what was pulled"):
        await accept(store, manifest, digest=manifest.digest or "", acceptance=BY)
    assert (await get_manifest(store, 2, CMC, "ua_org")).state is State.HELD


async def test_a_snapshot_that_a_crawl_has_undone_meanwhile_is_refused(store: Database) -> None:
    manifest = await held(store)
    await Night(store, 3).begin()
    with pytest.raises(NotFound, match="no longer holds"):  # its rows are gone
        await accept(store, manifest, digest=manifest.digest or "", acceptance=BY)


async def test_of_a_crawl_and_an_acceptance_at_once_one_wins(store: Database) -> None:
    """The crawl comes between the look at what is stored and the acceptance."""
    manifest = await held(store)

    async def crawl() -> None:
        await Night(store, 3).begin()

    wire = Tripwire(store, at=1, mode="pause", paused=crawl)
    with pytest.raises(TryLater, match="a crawl has begun to replace it"):
        await accept(wire.database, manifest, digest=manifest.digest or "", acceptance=BY)
    assert (await get_manifest(store, 2, CMC, "ua_org")).state is State.ROLLED_BACK
    assert [each["to"] for each in await everything(store, "ua_org")] == [2**63 - 1] * 3


async def test_an_acceptance_just_before_a_crawl_marks_it_is_kept(store: Database) -> None:
    manifest = await held(store)

    async def accepted() -> None:
        await accept(store, manifest, digest=manifest.digest or "", acceptance=BY)

    wire = Tripwire(store, at=1, mode="pause", paused=accepted)
    night = Night(wire.database, 3)
    await night.begin()
    assert night.writer.base is not None
    assert night.writer.base.run == 2
    await night.take(TWO)
    third = await night.finish()
    assert (third.counts.unchanged, third.counts.removed) == (1, 0)
    assert await collected(export(store, await get_manifest(store, 2, CMC, "ua_org"))) == TWO


async def test_a_held_snapshot_cannot_be_settled_again_by_its_writer(store: Database) -> None:
    night = Night(store, 1)
    await night.begin()
    await night.take(ONE)
    manifest = await night.finish(State.HELD)
    with pytest.raises(StoreLost):
        await night.writer.settle(replace(manifest, state=State.PUBLISHED))
    assert await get_manifest(store, 1, CMC, "ua_org") == manifest
    assert await collected(export(store, manifest)) == ONE


async def test_times_come_back_as_instants(store: Database) -> None:
    at = datetime(2026, 3, 1, 1, 2, 3, 456_000, tzinfo=UTC)
    await begin_run(store, begun(started_at=at))
    assert (await get_run(store, 1)).started_at == at
