"""Pushed against pulled on real sockets and a real mongod: the ministry's own query interface (4.1)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from pushes import DIFFERENT, QUICK, House, house
from pymongo import InsertOne

from subcmc_crawler.comparing import Comparing
from subcmc_crawler.model import OPEN_END, Comparison, Counts, Manifest, RunStatus, State, Verdict
from subcmc_crawler.province.digest import SnapshotDigest
from subcmc_crawler.province.page import fingerprint
from subcmc_crawler.run import Crawl
from subcmc_crawler.simulator.ministry import SHAPES, Manner, Planted
from subcmc_crawler.simulator.nights import Centre
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.spec.personal import mask_key
from subcmc_crawler.store import Database
from subcmc_crawler.store.ids import version_id
from subcmc_crawler.store.runs import get_manifest, manifests_of, write_manifest

MANNERS = [
    Manner(first_page=first, suffix=suffix, lenient=lenient)
    for first, suffix, lenient in product((0, 1), ("/page", ""), (True, False))
]
TOKEN = '[ministry.auth]\nkind = "bearer"\ntoken_env = "PLATFORM_TOKEN"\n'
OWN = QUICK + 'rows = "result.items"\ntotal = "result.page.count"\n'


def assert_exact(there: House, comparison: Comparison) -> None:
    """The comparison found what was planted, and nothing else."""
    expected = there.platform.expected(comparison.cmc_id, comparison.dataset)
    masked = {
        kind: [mask_key(comparison.dataset, key) for key in sorted(keys)]
        for kind, keys in {
            "pushed": expected.only_pushed,
            "pulled": expected.only_pulled,
            "differing": expected.differing,
        }.items()
    }
    assert list(comparison.only_pushed_keys) == masked["pushed"][:20]
    assert list(comparison.only_pulled_keys) == masked["pulled"][:20]
    assert [each.key for each in comparison.differing_keys] == masked["differing"][:20]
    assert all(each.fields == (expected.field,) for each in comparison.differing_keys)
    assert comparison.only_pushed == len(expected.only_pushed)
    assert comparison.only_pulled == len(expected.only_pulled)
    assert comparison.differing == len(expected.differing)
    assert dict(comparison.fields) == (
        {expected.field: len(expected.differing)} if expected.differing else {}
    )
    assert comparison.equal is not None
    assert comparison.pushed == comparison.equal + len(expected.differing) + len(expected.only_pushed)
    assert comparison.pulled == comparison.equal + len(expected.differing) + len(expected.only_pulled)
    assert comparison.sure


async def test_a_night_compares_every_dataset_of_every_province(store: Database) -> None:
    async with house(store, planted={"*": DIFFERENT}, provinces=("110000", "620000")) as there:
        run = await there.night()
        assert dict(run.summary) == {"proven": 18}  # no difference changes a verdict
        found = await there.found()
        assert len(found) == 18
        for comparison in found.values():
            assert_exact(there, comparison)
        for manifest in await manifests_of(store, 1):
            assert manifest.counts.pushed == found[f"{manifest.cmc_id}/{manifest.dataset}"].pushed


@pytest.mark.parametrize("manner", MANNERS, ids=str)
async def test_how_the_platform_is_spoken_is_found_out_once_a_run(store: Database, manner: Manner) -> None:
    async with house(store, manner=manner, planted={"*": DIFFERENT}) as there:
        await there.night("ua_org", "ua_user", "mdm_device")
        for comparison in (await there.found()).values():
            assert_exact(there, comparison)
        probes = [path for path, _, size in there.platform.requests if size == "10"]
        assert len(probes) <= 4
        assert {path.rpartition("/v1/")[2].removesuffix("/page") for path in probes} == {"ua/org"}


@pytest.mark.parametrize("shape", [name for name in SHAPES if name != "own"])
async def test_rows_are_found_in_every_shape(store: Database, shape: str) -> None:
    async with house(store, manner=Manner(shape=shape), planted={"*": DIFFERENT}) as there:
        await there.night("ua_user")
        assert_exact(there, (await there.found())["110000/ua_user"])


async def test_a_shape_that_nobody_knows_is_named_in_the_registry(store: Database) -> None:
    async with house(store, manner=Manner(shape="own"), planted={"*": DIFFERENT}, settings=OWN) as there:
        await there.night("ua_user")
        assert_exact(there, (await there.found())["110000/ua_user"])


async def test_a_shape_that_nobody_knows_is_a_fault_that_says_what_to_do(store: Database) -> None:
    async with house(store, manner=Manner(shape="own")) as there:
        run = await there.night("ua_user")
        assert dict(run.summary) == {"proven": 1}
        comparison = (await there.found())["110000/ua_user"]
        assert (comparison.fault, comparison.pushed, comparison.compared) == ("no-data", None, False)
        assert "[ministry]" in comparison.detail


async def test_spellings_are_no_differences(store: Database) -> None:
    async with house(store, planted={"*": Planted(respelled=True)}, scale=0.01) as there:
        await there.night()
        assert all(each.same for each in (await there.found()).values())


@pytest.mark.parametrize(
    "fault",
    [
        "clamp=7",
        "echo-last",
        "error-past-end",
        "bom",
        "503=1;after=2;retry-after=0",
        "truncated=1",
        "reset=1",
    ],
)
async def test_the_walk_survives_what_it_survives_in_a_province(store: Database, fault: str) -> None:
    async with house(store, f"*/ua_user:{fault}", planted={"*": DIFFERENT}) as there:
        await there.night("ua_user")
        assert_exact(there, (await there.found())["110000/ua_user"])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("500", "http-500"),
        ("404", "http-404"),
        ("html", "not-json"),
        ("code=7", "code"),
        ("truncated", "not-json"),
        ("dead", "disconnected"),
        ("503;retry-after=0", "http-503"),
        ("redirect", "redirect"),
        ("500;after=3", "http-500"),
    ],
)
async def test_no_fault_of_the_platform_fails_a_run(store: Database, fault: str, kind: str) -> None:
    async with house(store, f"*:{fault}") as there:
        run = await there.night("ua_user", "mdm_device")
        assert dict(run.summary) == {"proven": 2}
        for comparison in (await there.found()).values():
            assert (comparison.fault, comparison.pushed, comparison.differing) == (kind, None, None)
            assert comparison.endings == ("failed",)
        assert all(manifest.counts.pushed is None for manifest in await manifests_of(store, 1))


async def test_a_platform_that_is_lost_is_asked_no_more(store: Database) -> None:
    async with house(store, "*:dead") as there:
        await there.night()
        assert {each.fault for each in (await there.found()).values()} == {"disconnected"}
        assert len(there.platform.requests) == 2  # of one page, and once more


async def test_a_wrong_token_is_no_reason_to_go_on_asking(store: Database) -> None:
    async with house(store, manner=Manner(token="let me in")) as there:
        await there.night()
        assert {each.fault for each in (await there.found()).values()} == {"http-401"}
        assert len(there.platform.requests) == 1


async def test_the_platform_takes_a_token_like_a_province(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_TOKEN", "let me in")
    async with house(store, manner=Manner(token="let me in"), settings=QUICK, tables=TOKEN) as there:
        await there.night("ua_user")
        assert (await there.found())["110000/ua_user"].same


async def test_a_total_that_is_wrong_leaves_the_differences_unsure(store: Database) -> None:
    async with house(store, "*:total=+5") as there:
        await there.night("ua_user")
        comparison = (await there.found())["110000/ua_user"]
        assert comparison.compared
        assert comparison.endings[-1] == "miscounted"
        assert not comparison.sure


async def test_a_platform_that_ignores_page_numbers_leaves_them_unsure(store: Database) -> None:
    async with house(store, "*:ignore-page") as there:
        await there.night("ua_user")
        comparison = (await there.found())["110000/ua_user"]
        assert comparison.pushed == 40
        assert not comparison.sure


async def test_rows_of_another_province_are_counted_and_left_out(store: Database) -> None:
    async with house(store, pull_faults=("110000/ua_user:foreign=4",)) as there:
        await there.night("ua_user")
        comparison = (await there.found())["110000/ua_user"]
        assert comparison.foreign == comparison.only_pulled == 4
        assert comparison.only_pushed == 0


async def test_without_a_snapshot_the_pushes_are_only_counted(store: Database) -> None:
    async with house(store, pull_faults=("110000:dead",)) as there:
        await there.night("ua_user")
        comparison = (await there.found())["110000/ua_user"]
        assert (comparison.snapshot, comparison.pulled, comparison.compared) == (None, None, False)
        assert comparison.pushed == 100
        assert (await get_manifest(store, 1, "110000", "ua_user")).counts.pushed == 100


async def test_the_snapshot_in_force_stands_in_for_one_that_failed(store: Database) -> None:
    async with house(store, pull_faults=("110000:dead@2",)) as there:
        await there.night("ua_user")
        there.simulator.night = 2
        await there.night("ua_user")
        comparison = (await there.found(2))["110000/ua_user"]
        assert comparison.snapshot == 1
        assert comparison.compared


async def test_comparing_again_puts_the_new_result_in_place_of_the_old(store: Database) -> None:
    async with house(store, "*:500=4", planted={"*": DIFFERENT}) as there:
        await there.night("ua_user")
        assert (await there.found())["110000/ua_user"].fault == "http-500"
        await there.compare(1)
        assert_exact(there, (await there.found())["110000/ua_user"])
        await there.compare(1)
        assert await store["comparisons"].count_documents({}) == 1
        assert (await get_manifest(store, 1, "110000", "ua_user")).counts.pushed == 99


async def test_a_run_that_goes_on_keeps_what_was_compared(store: Database) -> None:
    async with house(store) as there:
        await there.night("ua_user", "ua_org")
        await store["runs"].update_one({"_id": 1}, {"$set": {"status": "crashed"}})
        await store["comparisons"].delete_one({"dataset": "ua_org"})
        there.platform.requests.clear()
        await there.night("ua_user", "ua_org", resume=True)
        assert set(await there.found()) == {"110000/ua_org", "110000/ua_user"}
        assert {path for path, _, _ in there.platform.requests} == {"/mpscmc/v1/ua/org/page"}


async def test_what_is_stopped_is_written_down_as_stopped(store: Database) -> None:
    async with house(store) as there:
        comparisons = there.comparisons()
        comparisons.stop()
        comparisons.add([await stored(store, there.simulator.centres[0], "ua_user")])
        comparisons.end()
        await comparisons.run()
        comparison = (await there.found())["110000/ua_user"]
        assert (comparison.endings, comparison.fault, comparison.pushed) == (("stopped",), "", None)
        assert not there.platform.requests


async def test_a_run_that_is_stopped_stops_comparing(store: Database) -> None:
    async with house(store, provinces=("110000", "620000")) as there:
        run = await there.night("ua_user", "ua_org", on_page=Crawl.stop)
        assert run.status is RunStatus.STOPPED
        assert {each.endings for each in (await there.found()).values()} == {("stopped",)}
        assert not there.platform.requests


async def test_a_defect_of_ours_costs_one_province_and_no_run(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_one(comparing: Comparing, key: str, record: dict[str, Any]) -> None:
        if record["cmcId"] == "110000":
            raise ZeroDivisionError
        push(comparing, key, record)

    push = Comparing.push
    monkeypatch.setattr(Comparing, "push", fails_for_one)
    async with house(store, provinces=("110000", "620000")) as there:
        run = await there.night("ua_user")
        assert run.status is RunStatus.FINISHED
        assert {name: each.same for name, each in (await there.found()).items()} == {"620000/ua_user": True}


async def test_overtime_ends_a_platform_that_hangs(store: Database) -> None:
    async with house(store, "*:hang") as there:
        asked = asyncio.Event()
        there.platform.on_request = asked.set
        comparisons = there.comparisons()
        comparisons.add([await stored(store, there.simulator.centres[0], "ua_user")])
        running = asyncio.ensure_future(comparisons.run())
        await asked.wait()
        comparisons.end(overtime_seconds=0)
        await running
        assert (await there.found())["110000/ua_user"].pushed is None


async def test_50000_rows_on_each_side_show_exactly_the_planted_differences(store: Database) -> None:
    centre = Centre("620000", "甘肃省", scale=1.0)
    planted = {"ua_user": Planted(missing=37, extra=23, changed=41)}
    fast = QUICK.replace("page_size = 40", "page_size = 5000")
    async with house(store, planted=planted, centres=[centre], settings=fast) as there:
        comparison = await there.compared([await stored(store, centre, "ua_user")])
        assert comparison.pulled == 50_000
        assert comparison.pushed == 50_000 - 37 + 23
        assert_exact(there, comparison)


async def stored(db: Database, centre: Centre, dataset: str) -> Manifest:
    """A published snapshot of everything that a centre holds, written without a walk."""
    key = DATASETS[dataset].key
    rows = sorted(centre.rows(dataset), key=lambda row: str(row[key]))
    digest = SnapshotDigest()
    documents = []
    for row in rows:
        content, _ = fingerprint(row)
        digest.add(str(row[key]), content)
        documents.append(
            InsertOne(
                {
                    "_id": version_id(centre.cmc_id, 1, str(row[key])),
                    "cmcId": centre.cmc_id,
                    "key": str(row[key]),
                    "from": 1,
                    "to": OPEN_END,
                    "hash": content,
                    "flags": [],
                    "record": row,
                }
            )
        )
    await db[dataset].bulk_write(documents, ordered=False)
    manifest = Manifest(
        run=1,
        cmc_id=centre.cmc_id,
        province=centre.name,
        dataset=dataset,
        state=State.PUBLISHED,
        verdict=Verdict.PROVEN,
        counts=Counts(declared=len(rows), received=len(rows), distinct=len(rows), stored=len(rows)),
        digest=str(digest),
        started_at=datetime.now(UTC),
    )
    await write_manifest(db, manifest)
    return manifest
