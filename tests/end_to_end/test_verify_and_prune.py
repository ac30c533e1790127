"""`subcmc verify` of a run that `subcmc prune` takes away in the middle: it tells that, and no difference."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from store_cases import AT, CMC, row, snapshot

from subcmc_crawler.cli import reading
from subcmc_crawler.errors import NotFound
from subcmc_crawler.model import RunRecord, RunStatus
from subcmc_crawler.store import Database
from subcmc_crawler.store import reading as stored
from subcmc_crawler.store import runs as nights
from subcmc_crawler.store.batches import batches
from subcmc_crawler.store.pruning import prune
from subcmc_crawler.store.runs import begin_run

PROVINCES = ("110000", "120000", CMC)
ENGLISH = reading.View(lang="en")


@pytest.fixture
async def pruned(
    db: Database, mongod_uri: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Awaitable[object]]:
    """Three runs of three cells, each of other rows; what prunes the first two, which does so once."""
    monkeypatch.setenv("MONGODB_URI", mongod_uri)
    monkeypatch.setenv("SUBCMC_DATABASE", database)
    monkeypatch.setattr(reading, "spare_the_collector", lambda: None)
    for number in (1, 2, 3):
        await begin_run(db, RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT))
        for cmc_id in PROVINCES:
            await snapshot(db, number, [[row(f"{number}-{key:03d}") for key in range(150)]], cmc=cmc_id)

    async def prune_it() -> None:
        await prune(db, 1)

    return prune_it


def before_proof(number: int, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]]) -> None:
    """Lets something happen before the proof of a snapshot, counted from 0."""
    prove, proofs = stored.prove, iter(range(len(PROVINCES)))

    async def proven(db: Database, manifest: Any) -> stored.Proof:
        if next(proofs) == number:
            await act()
        return await prove(db, manifest)

    monkeypatch.setattr(stored, "prove", proven)


async def test_undisturbed_every_snapshot_is_counted(
    pruned: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pruned
    assert await reading.verify(ENGLISH, "1") == 0
    assert "3 of 3 snapshots in force as of run 1 are what was published" in capsys.readouterr().out


@pytest.mark.parametrize("number", range(len(PROVINCES)))
async def test_what_was_pruned_between_two_proofs_is_no_difference(
    pruned: Callable[[], Awaitable[object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
) -> None:
    before_proof(number, monkeypatch, pruned)
    were = "was" if number == 1 else "were"
    with pytest.raises(NotFound, match=rf"run 1 was pruned while .* {number} of its snapshots {were} what"):
        await reading.verify(ENGLISH, "1")
    assert not capsys.readouterr().out


async def test_what_was_pruned_within_a_proof_is_no_difference(
    pruned: Callable[[], Awaitable[object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def pruned_on_the_way(*asked: Any, **how: Any) -> AsyncIterator[list[Any]]:
        async for batch in batches(*asked, **how):
            yield batch[:-1]  # as if the cursor had come to rows that were gone by then
            await pruned()

    monkeypatch.setattr("subcmc_crawler.store.reading.batches", pruned_on_the_way)
    with pytest.raises(NotFound, match=r"run 1 was pruned while .* 0 of its snapshots were"):
        await reading.verify(ENGLISH, "1")
    assert not capsys.readouterr().out


async def test_what_was_pruned_before_the_list_was_read_is_not_passed_over(
    pruned: Callable[[], Awaitable[object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """ "0 of 0 are what was published" would be true, and would be taken for all is well."""
    heads = nights.heads

    async def heads_of_what_is_left(db: Database, run: int | None = None) -> Any:
        await pruned()
        return await heads(db, run)

    monkeypatch.setattr(nights, "heads", heads_of_what_is_left)
    with pytest.raises(NotFound, match="run 1 was pruned"):
        await reading.verify(ENGLISH, "1")
    assert not capsys.readouterr().out


async def test_a_difference_that_was_found_before_is_still_one(
    db: Database,
    pruned: Callable[[], Awaitable[object]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await db["ua_org"].update_one({"cmcId": PROVINCES[0], "key": "1-007"}, {"$set": {"record.orgName": "x"}})
    before_proof(1, monkeypatch, pruned)
    assert await reading.verify(ENGLISH, "1") == 1
    told = capsys.readouterr()
    assert told.out.startswith("run 1 110000/ua_org: 150 records, digest ")
    assert told.out.count("\n") == 1
    assert "run 1 was pruned while it was verified: 0 of its snapshots were" in told.err
