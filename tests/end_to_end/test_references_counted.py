"""References are counted from the pages of a night; it comes to what MongoDB counts when asked for every record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nights import FAST, dies, ministry

from subcmc_crawler.model import ReferenceCount, State
from subcmc_crawler.naming import Groups
from subcmc_crawler.run import Selection
from subcmc_crawler.simulator.block import Block
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store import references as counting
from subcmc_crawler.store.references import count_references, find_references

CMC = "110000"
SMALL = FAST.replace("page_size = 50", "page_size = 10")
GATHERED = {("ua_org", "parentOrgId"), ("ua_user", "orgId"), ("hardware", "orgId"), ("pm_service", "hosts")}
Rows = list[dict[str, Any]]
Damage = Callable[[str, Rows], Rows | None]


def none(_dataset: str, _rows: Rows) -> Rows | None:
    return None


def dangling(dataset: str, rows: Rows) -> Rows | None:
    """A dozen things that are not there, each named by several."""
    for field in ("orgId", "parentOrgId"):
        if field in rows[0] and DATASETS[dataset].key != field:
            for place, row in enumerate(rows[3:60]):
                row[field] = f"nobody{(place * 7) % 12}"
            rows[1][field], rows[2][field] = "", "-1"
    if dataset == "pm_service":
        for row in rows[::2]:
            row["hosts"] = [*row["hosts"], "nobody"]
        rows[1]["hosts"] = []
    return rows


def late(dataset: str, rows: Rows) -> Rows | None:
    """Children before their parents, on the same page and on others; and keys in no order."""
    return rows[::-1] if dataset in ("ua_org", "ua_user") else None


def spelt_with_blanks(dataset: str, rows: Rows) -> Rows | None:
    for row in rows[::7]:
        for field in ("orgId", "parentOrgId", "hosts"):
            if field in row and DATASETS[dataset].key != field:
                row[f" {field}"] = row.pop(field)
    return rows


def left_out(dataset: str, rows: Rows) -> Rows | None:
    for row in rows[::7]:
        for field in ("orgId", "parentOrgId", "hosts"):
            if DATASETS[dataset].key != field:
                row.pop(field, None)
    return rows


def odd_values(dataset: str, rows: Rows) -> Rows | None:
    if dataset not in ("ua_user", "hardware"):
        return None
    values: list[Any] = [7, "7", None, 2**40, "x" * 2000, True, 1.5, {"orgId": "1"}, ["1", "2"], [], [None]]
    for row, value in zip(rows, values if dataset == "ua_user" else values[:5], strict=False):
        row["orgId"] = value
    return rows


def damage(monkeypatch: pytest.MonkeyPatch, how: Damage) -> None:
    """What the centres hold from now on."""
    whole = Centre.encoded

    def encoded(self: Centre, dataset: str, night: int = 1) -> Block:
        block = whole(self, dataset, night)
        rows = how(dataset, block.rows())
        return block if rows is None else Block(rows)

    monkeypatch.setattr(Centre, "encoded", encoded)


class Gathering:
    """Which references were counted from pages."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: set[tuple[str, str]] = set()
        ask = counting.ReferenceCounting._ask

        async def asking(own: Any, dataset: Any, reference: Any) -> ReferenceCount:
            self.asked.add((dataset.code, reference.field))
            return await ask(own, dataset, reference)

        monkeypatch.setattr(counting.ReferenceCounting, "_ask", asking)

    def since(self) -> set[tuple[str, str]]:
        """The references of which MongoDB was not asked for every record, since the last look."""
        asked, self.asked = self.asked, set()
        return GATHERED - asked


@pytest.fixture
def gathering(monkeypatch: pytest.MonkeyPatch) -> Gathering:
    return Gathering(monkeypatch)


async def same(store: Database, run: int, cmc_id: str = CMC) -> dict[tuple[str, str], ReferenceCount]:
    """What the night has kept, which is what MongoDB counts now."""
    kept = await find_references(store, run, cmc_id)
    assert kept is not None
    again = await count_references(store, run, cmc_id)
    assert [*kept.counts] == [*again.counts]
    return {(each.dataset, each.field): each for each in kept.counts}


@pytest.mark.parametrize("how", [none, dangling, late, left_out], ids=lambda each: each.__name__)
async def test_what_the_pages_tell_is_what_mongodb_counts(
    store: Database, monkeypatch: pytest.MonkeyPatch, gathering: Gathering, how: Damage
) -> None:
    damage(monkeypatch, how)
    async with ministry(store, defaults=SMALL, scale=0.02) as house:
        for night in (1, 2):
            await house.night(night)
            assert gathering.since() == GATHERED
            found = await same(store, night)
            gathering.since()
            assert sum(each.records for each in found.values()) > 500
            if how is dangling:
                user = found["ua_user", "orgId"]
                assert (user.dangling, user.absent, len(user.samples)) == (57, 2, 10)
                assert [each.key for each in user.samples] == sorted(each.key for each in user.samples)
                assert found["pm_service", "hosts"].samples[0].named == "nobody"
                assert found["ua_org", "parentOrgId"].dangling > 0
            if how is late:
                assert (found["ua_org", "parentOrgId"].late or 0) > 10
                assert len(found["ua_org", "parentOrgId"].late_samples) == 10
            if how is left_out:
                assert found["ua_user", "orgId"].absent > 50


@pytest.mark.parametrize("how", [spelt_with_blanks, odd_values], ids=lambda each: each.__name__)
async def test_what_the_pages_do_not_surely_tell_mongodb_is_asked(
    store: Database, monkeypatch: pytest.MonkeyPatch, gathering: Gathering, how: Damage
) -> None:
    damage(monkeypatch, how)
    async with ministry(store, scale=0.01) as house:
        await house.night(1)
        assert ("ua_user", "orgId") not in gathering.since()
        found = await same(store, 1)
        assert found["ua_user", "orgId"].records == 500


@pytest.mark.parametrize(
    ("fault", "not_gathered"),
    [
        ("duplicates=4", {"ua_user"}),
        ("conflicts=4", {"ua_user"}),
        ("nokey=4", set()),
        ("badrows=20", set()),
        ("foreign=4", set()),
        ("unknown-fields", set()),
        ("stray-keys", set()),
        ("clamp=13", set()),
        ("total=+7", set()),  # held: short
        ("drift=1;every=1", set()),  # repaired: the last pass is what is stored
        ("drift;every=1", {"ua_user"}),  # held: drifting
        ("truncated=1;after=2", set()),
        ("500;after=2", {"ua_user"}),  # refused in the middle: yesterday's is in force, or none is
    ],
)
async def test_a_province_that_misbehaves_is_counted_as_mongodb_counts(
    store: Database, gathering: Gathering, fault: str, not_gathered: set[str]
) -> None:
    """Three nights: sound, with the fault, and sound again."""
    async with ministry(store, f"{CMC}/ua_user:{fault}@2", scale=0.01) as house:
        for night in (1, 2, 3):
            await house.night(night)
            told = {dataset for dataset, _ in GATHERED - gathering.since()}
            assert told == (not_gathered if night == 2 else set())
            await same(store, night)
            gathering.since()


@pytest.mark.parametrize("fault", ["500", "duplicates=4", "shrunk=60", "empty", "conflicts=4", "total=-3"])
async def test_a_target_that_misbehaves(store: Database, gathering: Gathering, fault: str) -> None:
    async with ministry(store, f"{CMC}/ua_org:{fault}@2", scale=0.01) as house:
        for night in (1, 2, 3):
            await house.night(night)
            told = gathering.since()
            held = (await house.cell(night, f"{CMC}/ua_org")).state in (State.PUBLISHED, State.HELD)
            assert (("ua_user", "orgId") in told) == held
            await same(store, night)
            gathering.since()


async def test_a_part_of_the_datasets_names_what_is_in_force(store: Database, gathering: Gathering) -> None:
    async with ministry(store, scale=0.01) as house:
        await house.night(1)
        gathering.since()
        await house.night(2, selection=Selection(datasets=("ua_user", "hardware")))
        assert gathering.since() == set()
        found = await same(store, 2)
        assert (found["ua_user", "orgId"].as_of, found["ua_user", "orgId"].target_as_of) == (2, 1)


@pytest.mark.parametrize(
    "breaks",
    [
        ("ua_org", 2, {"ua_org", "ua_user", "hardware", "pm_service"}),
        ("ua_user", 50, {"pm_service"}),  # organisations were settled by the process that died
        ("pm_service", 1, set()),
    ],
)
async def test_a_resumed_run_counts_what_an_unbroken_one_counts(
    store: Database, monkeypatch: pytest.MonkeyPatch, gathering: Gathering, breaks: tuple[str, int, set[str]]
) -> None:
    dies_in, page, gathered = breaks
    damage(monkeypatch, dangling)
    async with ministry(store, defaults=SMALL, scale=0.02) as house:
        await dies(house, 1, after_pages=page, monkeypatch=monkeypatch, of=dies_in)
        gathering.since()
        await house.night(1, resume=True)
        assert {dataset for dataset, _ in gathering.since()} == gathered
        found = await same(store, 1)
        assert (found["ua_user", "orgId"].records, found["ua_user", "orgId"].dangling) == (1000, 57)


async def test_too_much_to_remember_is_asked_of_mongodb(
    store: Database, monkeypatch: pytest.MonkeyPatch, gathering: Gathering
) -> None:
    made = Groups.__init__

    def small(self: Groups, *arguments: Any, most_bytes: int) -> None:
        made(self, *arguments, most_bytes=500)

    monkeypatch.setattr(Groups, "__init__", small)
    async with ministry(store, scale=0.01) as house:
        await house.night(1)
        assert not gathering.since() & {("ua_user", "orgId"), ("ua_org", "parentOrgId")}
        await same(store, 1)


async def test_no_record_is_read_to_count_what_the_pages_told(store: Database) -> None:
    """Of the versions MongoDB reads nothing but the index; and the order of the pages is not read again."""
    async with ministry(store, scale=0.01) as house:
        await house.night(1)
        await store.command("profile", 2)
        await house.night(1)
        await store.command("profile", 0)
        night = await _questions(store)
        await store["system.profile"].drop()
        await store.command("profile", 2)
        await count_references(store, 2, CMC)
        await store.command("profile", 0)
        asked = await _questions(store)
    assert [each["command"] for each in night if "aggregate" in each["command"]] == []
    assert [each["command"] for each in night if each.get("docsExamined")] == []
    assert [each for each in asked if "aggregate" in each["command"]] != [], "this is what is saved"
    assert [each for each in asked if each.get("docsExamined")] != []


async def _questions(store: Database) -> list[dict[str, Any]]:
    """What was asked about the versions of datasets."""
    ours = {
        "ns": {"$in": [f"{store.name}.{code}" for code in DATASETS]},
        "op": {"$in": ["query", "command", "getmore"]},
    }
    return [each async for each in store["system.profile"].find(ours)]
