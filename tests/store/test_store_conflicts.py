"""The same key with other content: the last row served is stored, every one is exported where it stood."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from store_cases import BOTH_DRIVERS, CMC, Night, collected, everything, exact, row, snapshot

from subcmc_crawler.model import OPEN_END, PageRecord, State
from subcmc_crawler.store import Database, writing
from subcmc_crawler.store.aside import AsideRow
from subcmc_crawler.store.reading import export, prove
from subcmc_crawler.store.writing import SnapshotWriter

KEY = "key"
SEQUENCES = ["AB", "AAB", "ABA", "ABB", "AABB", "ABAB", "ABC", "ABCA", "AAAB", "BAAB"]
SPLITS: dict[str, Callable[[list[Any]], list[list[Any]]]] = {
    "one page": lambda rows: [rows],
    "a page a row": lambda rows: [[each] for each in rows],
    "two pages": lambda rows: [rows[:2], rows[2:]],
    "others between": lambda rows: [[row("x"), each, {"no": "key"}] for each in rows],
}


def served(sequence: str, night: int) -> list[dict[str, Any]]:
    """One row a letter, each with a collectTime of its own."""
    return [row(KEY, letter, time=100 * night + number) for number, letter in enumerate(sequence)]


@pytest.mark.parametrize("before", [None, "A"])
async def test_displaced_rows_are_taken_back_a_few_at_a_time(
    store: Database, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    """Each may be as large as a body: they are never all in memory."""
    held = 0

    async def quarantined(self: SnapshotWriter, aside: Iterator[AsideRow], record: PageRecord) -> None:
        nonlocal held
        rows = list(aside)
        held = max(held, len(rows))
        await quarantine(self, iter(rows), record)

    quarantine = SnapshotWriter._quarantine
    monkeypatch.setattr(SnapshotWriter, "_quarantine", quarantined)
    monkeypatch.setattr(writing, "_ASIDE_BYTES", 2_500)
    keys = [f"k{number}" for number in range(20)]
    if before:
        await snapshot(store, 1, [[row(key, before * 1_000) for key in keys]])
    pages = [[row(key, letter * 1_000) for key in keys] for letter in "ABC"]
    manifest = await snapshot(store, 2, pages)
    assert (manifest.counts.conflicting, manifest.counts.distinct) == (40, 20)
    assert 1 < held < 5
    exported = await collected(export(store, manifest))
    assert [exact(each) for each in exported] == [exact(each) for page in pages for each in page]
    assert (await prove(store, manifest)).holds(manifest)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("before", [None, "A", "B", "Z"])
async def test_conflicts(store: Database, before: str | None, split: str) -> None:
    """Every sequence, against a last night that held one of its contents, or another, or nothing."""
    for sequence in SEQUENCES:
        for name in ("ua_org", "snapshots", "ledger", "quarantine"):
            await store[name].delete_many({})
        if before:
            await snapshot(store, 1, [[row(KEY, before, time=1)]])
        pages = SPLITS[split](served(sequence, 2))
        rows = [each for page in pages for each in page]
        last = sequence[-1]

        manifest = await snapshot(store, 2, pages)

        counts = manifest.counts
        others = len([each for each in rows if each.get("orgId") == "x"])
        conflicting = displaced_rows(sequence)
        assert counts.conflicting == turns(sequence), sequence
        assert counts.repeated == len(sequence) - 1 - turns(sequence) + max(0, others - 1)
        assert counts.distinct == 1 + bool(others)
        assert counts.quarantined == others
        new_other = int(bool(others))
        expected = {None: (1, 0, 0), last: (0, 0, 1)}.get(before, (0, 1, 0))
        assert (counts.added - new_other, counts.changed, counts.unchanged) == expected, sequence
        assert counts.removed == 0

        versions = [each for each in await everything(store, "ua_org") if each["key"] == KEY]
        current = [each for each in versions if each["to"] == OPEN_END]
        assert [each["record"]["orgName"] for each in current] == [last], sequence
        spans = [(each["record"]["orgName"], each["from"], each["to"]) for each in versions]
        if before is None:
            assert spans == [(last, 2, OPEN_END)]
        elif before == last:
            assert spans == [(last, 1, OPEN_END)]
        else:
            assert spans == [(before, 1, 2), (last, 2, OPEN_END)]

        kept = [each for each in await everything(store, "quarantine") if each["key"] == KEY]
        assert len(kept) == conflicting, sequence
        reasons = Counter(each["reason"] for each in kept)
        assert reasons == +Counter(conflicting=turns(sequence), repeated=conflicting - turns(sequence))
        exported = await collected(export(store, manifest))
        assert [exact(each) for each in exported] == [exact(each) for each in rows], sequence
        assert (await prove(store, manifest)).holds(manifest)


def turns(sequence: str) -> int:
    """How often a content follows another one."""
    return sum(one != other for one, other in itertools.pairwise(sequence))


def displaced_rows(sequence: str) -> int:
    """Rows before the last stretch of equal ones: they are not what is stored."""
    return len(sequence.rstrip(sequence[-1]))


@BOTH_DRIVERS
async def test_a_conflict_does_not_outlive_its_pass(store: Database) -> None:
    await snapshot(store, 1, [[row(KEY, "A")]])
    night = Night(store, 2)
    await night.begin()
    await night.take([row(KEY, "A")], [row(KEY, "B")], [row(KEY, "A")])
    await night.restart()
    await night.take([row(KEY, "A", time=9)])
    manifest = await night.finish()
    assert (manifest.counts.conflicting, manifest.counts.unchanged) == (0, 1)
    assert await collected(export(store, manifest)) == [row(KEY, "A", time=9)]


@BOTH_DRIVERS
async def test_conflicts_of_a_night_that_is_rolled_back_leave_the_last_one_as_it_was(store: Database) -> None:
    first = await snapshot(store, 1, [[row(KEY, "A"), row("other", "A")]])
    before = await everything(store, "ua_org")
    await snapshot(store, 2, [[row(KEY, "B")], [row(KEY, "A"), row(KEY, "C")]], state=State.ROLLED_BACK)
    assert await everything(store, "ua_org") == before
    assert await collected(export(store, first)) == [row(KEY, "A"), row("other", "A")]


@BOTH_DRIVERS
async def test_rows_in_quarantine_name_their_place_and_their_reason(store: Database) -> None:
    await snapshot(
        store,
        1,
        [
            [{"orgName": "no key"}, row(KEY, "A", time=5), "text"],
            [row(KEY, "B"), {"orgId": ""}, {"orgId": []}],
        ],
    )
    found = [
        (each["ordinal"], each["position"], each["reason"], each["key"])
        for each in await everything(store, "quarantine")
    ]
    assert found == [
        (0, 0, "missing-key", None),
        (0, 1, "conflicting", KEY),
        (0, 2, "not-an-object", None),
        (1, 1, "empty-key", None),
        (1, 2, "bad-key", None),
    ]
    assert {each["cmcId"] for each in await everything(store, "quarantine")} == {CMC}


@BOTH_DRIVERS
async def test_a_number_and_its_digits_are_one_key(store: Database) -> None:
    rows = [row(7, "A"), row("7", "A"), row(7, "A")]
    manifest = await snapshot(store, 1, [rows])
    assert (manifest.counts.distinct, manifest.counts.conflicting) == (1, 2)
    assert [exact(each) for each in await collected(export(store, manifest))] == [
        exact(each) for each in rows
    ]


@pytest.mark.parametrize(
    "times",
    [
        [1, 1.0],
        [1.0, 1],
        [0.0, -0.0],
        [True, 1],
        [1, True],
        ["1", 1],
        [None, 0],
        [[1], [1.0]],
        [{"a": 1}, {"a": 1.0}],
        [2**70, 2**70],
        ["", ""],
        [[], []],
        ["\ud800", "a"],
    ],
    ids=ascii,
)
async def test_any_collect_time_comes_back_with_its_row(store: Database, times: list[Any]) -> None:
    rows = [row(f"k{number}", "same", time=time) for number, time in enumerate(times)]
    rows.append({"orgId": "without"})
    for pages in ([rows[:2]], [rows], [rows[:1], rows[1:]]):
        for name in ("ua_org", "snapshots", "ledger", "quarantine"):
            await store[name].delete_many({})
        manifest = await snapshot(store, 1, pages)
        exported = await collected(export(store, manifest))
        assert [exact(each) for each in exported] == [exact(each) for page in pages for each in page]


@BOTH_DRIVERS
async def test_a_collect_time_under_a_name_with_blanks_is_that_of_its_night(store: Database) -> None:
    for night in (1, 2):
        rows = [{"orgId": "a", " collectTime ": night, "x": 1}, {"orgId": "b"}]
        manifest = await snapshot(store, night, [rows])
        assert [exact(each) for each in await collected(export(store, manifest))] == [
            exact(each) for each in rows
        ]
    assert manifest.counts.unchanged == 2
