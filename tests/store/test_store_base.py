"""What a night added, changed, removed and left is the same whether the ledger told it or the versions did."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest
from store_cases import CMC, Night, everything, row, snapshot

from subcmc_crawler.model import Counts, State
from subcmc_crawler.store import Database
from subcmc_crawler.store import base as bases
from subcmc_crawler.store.runs import get_manifest
from subcmc_crawler.store.versions import Previous

Content = dict[str, int]


@contextmanager
def looked_up() -> Iterator[list[str]]:
    """The keys that are looked up in the versions meanwhile."""
    asked: list[str] = []
    held = bases.Base.held

    async def noted(self: bases.Base, keys: list[str]) -> Previous:
        asked.extend(keys)
        return await held(self, keys)

    with patch.object(bases.Base, "held", noted):
        yield asked


def pages_of(content: Content, order: list[str], size: int, time: int) -> list[list[dict[str, object]]]:
    rows = [row(key, content[key], time=time) for key in order]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


async def counts_of(store: Database, run: int) -> Counts:
    return (await get_manifest(store, run, CMC, "ua_org")).counts


@pytest.mark.parametrize("seed", range(8))
async def test_every_night_counts_what_changed(db: Database, seed: int) -> None:
    """Twelve nights: rows change, go, come back as they were; pages have other seams; some nights are rolled back."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    shuffled, rolled_back = seed % 2 == 1, seed % 4 > 1
    content = {f"k{number:02d}": 0 for number in range(40)}
    order = list(content)
    before: Content = {}
    for run in range(1, 13):
        for key in chance.sample(sorted(content), min(3, len(content))):
            content[key] = chance.randrange(3)
        for _ in range(chance.randrange(3)):
            gone = chance.choice(order)
            order.remove(gone)
            del content[gone]
        for number in chance.sample(range(40), 2):
            if f"k{number:02d}" not in content:
                content[f"k{number:02d}"] = 0
                order.insert(chance.randrange(len(order) + 1), f"k{number:02d}")
        if shuffled and run % 4 == 0:
            chance.shuffle(order)
        state = State.ROLLED_BACK if rolled_back and chance.random() < 0.3 else State.PUBLISHED
        await snapshot(db, run, pages_of(content, order, chance.choice([7, 16, 50]), run), state=state)
        if state is State.ROLLED_BACK:
            continue
        counts = await counts_of(db, run)
        assert counts.added == len(content.keys() - before.keys())
        assert counts.removed == len(before.keys() - content.keys())
        assert counts.changed == sum(content[key] != before[key] for key in content.keys() & before.keys())
        assert counts.unchanged == len(content.keys() & before.keys()) - (counts.changed or 0)
        assert counts.stored == len(content)
        before = dict(content)


async def test_neither_what_is_as_it_was_is_looked_up_nor_what_surely_changed(db: Database) -> None:
    content = {f"k{number:03d}": 0 for number in range(300)}
    await snapshot(db, 1, pages_of(content, list(content), 100, 1))
    content["k005"] = 1
    with looked_up() as asked:
        await snapshot(db, 2, pages_of(content, list(content), 90, 2))
    assert asked == []
    counts = await counts_of(db, 2)
    assert (counts.added, counts.changed, counts.unchanged) == (0, 1, 299)
    content["k007"] = 1
    del content["k010"]
    with looked_up() as asked:
        await snapshot(db, 3, pages_of(content, list(content), 110, 3))
    assert sorted(asked) == ["k005", "k010"], "what began after the first night, and what is gone"
    counts = await counts_of(db, 3)
    assert (counts.added, counts.changed, counts.removed, counts.unchanged) == (0, 1, 1, 298)


async def test_a_row_that_conflicts_in_the_model_is_looked_up(db: Database) -> None:
    """The ledger has the hash of A under k1, the versions hold B."""
    content = {f"k{number}": 0 for number in range(30)}
    (rows,) = pages_of(content, list(content), 30, 1)
    night = Night(db, 1)
    await night.begin()
    await night.take(rows, [row("k1", 1)])
    await night.finish(State.PUBLISHED)
    for run in (2, 3):
        with looked_up() as asked:
            manifest = await snapshot(db, run, [rows])
        assert manifest.like_run == 1
        assert sorted(asked) == sorted(content)
    assert (await counts_of(db, 2)).changed == 1
    assert (await counts_of(db, 3)).unchanged == 30


async def test_a_row_that_displaced_another_one_is_looked_up(db: Database) -> None:
    """The base told k000 twice, far apart: it is awaited again after it was met, and was changed there."""
    content = {f"k{number:03d}": 0 for number in range(800)}
    pages = pages_of(content, list(content), 100, 1)
    await snapshot(db, 1, [*pages, [row("k000", 0)]])
    with looked_up() as asked:
        await snapshot(db, 2, [[row("k000", 1), *pages[0][1:]], *pages[1:], [row("k000", 0)]])
    assert asked == ["k000"]
    counts = await counts_of(db, 2)
    assert (counts.added, counts.changed, counts.removed, counts.unchanged) == (0, 0, 0, 800)
    assert len(await everything(db, "ua_org")) == 800


async def test_a_ledger_that_is_gone_costs_questions_and_nothing_else(db: Database) -> None:
    content = {f"k{number:03d}": 0 for number in range(50)}
    await snapshot(db, 1, pages_of(content, list(content), 20, 1))
    await db["ledger"].delete_many({})
    del content["k010"]
    await snapshot(db, 2, pages_of(content, list(content), 20, 2))
    counts = await counts_of(db, 2)
    assert (counts.unchanged, counts.removed, counts.stored) == (49, 1, 49)
    assert len(await everything(db, "ua_org")) == 50


async def test_another_order_is_given_up_and_counted_all_the_same(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "_FAR", 100)
    content = {f"k{number:03d}": 0 for number in range(400)}
    await snapshot(db, 1, pages_of(content, list(content), 20, 1))
    with looked_up() as asked:
        await snapshot(db, 2, pages_of(content, list(content)[::-1], 20, 2))
    assert len(asked) >= 300
    counts = await counts_of(db, 2)
    assert (counts.unchanged, counts.removed, counts.stored) == (400, 0, 400)
