"""Whole nights on real HTTP and a real mongod."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nights import FAST, MIDNIGHT, ministry

from patience import Patience
from subcmc_crawler.errors import TryLater
from subcmc_crawler.model import Acceptance, RunStatus, State, Verdict
from subcmc_crawler.reconcile import Why
from subcmc_crawler.run import Crawl, Selection
from subcmc_crawler.simulator.server import Simulator
from subcmc_crawler.spec.codes import AREAS
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.counting import Stored
from subcmc_crawler.store.runs import accept, attempts_of, heads, list_runs, manifests_of, published_as_of
from subcmc_crawler.store.writing import SnapshotWriter


async def test_35_provinces_are_published_exactly_as_served(store: Database) -> None:
    async with ministry(store, provinces=list(AREAS), scale=0.001) as house:
        run = await house.night(1)
        assert run.status is RunStatus.FINISHED
        assert dict(run.summary) == {"proven": 35 * 9}
        assert await house.assert_exact(run.number) == 35 * 9


async def test_a_night_with_dead_drifting_short_and_shrunk_provinces_publishes_all_others(
    store: Database,
) -> None:
    faults = (
        "120000:dead@2",
        "130000/ua_user:drift@2",
        "140000/mdm_device:total=+5@2",
        "150000/ua_user:shrunk=60@2",
    )
    provinces = ("110000", "120000", "130000", "140000", "150000", "210000")
    guarded = FAST + "guard = { rows = 50, percent = 20, minimum = 100 }\n"
    async with ministry(store, *faults, provinces=provinces, defaults=guarded) as house:
        first = await house.night(1)
        assert set(first.summary) == {"proven"}
        yesterday = {name: rows async for name, rows in _all_rows(house, first.number)}
        second = await house.night(2)
        verdicts = await house.verdicts(second.number)
        wrong = {name: verdict for name, verdict in verdicts.items() if verdict is not Verdict.PROVEN}
        assert wrong == {
            **{f"120000/{code}": Verdict.UNREACHABLE for code in DATASETS},
            "130000/ua_user": Verdict.DRIFTING,
            "140000/mdm_device": Verdict.SHORT,
            "150000/ua_user": Verdict.SHRUNK,
        }
        assert await house.assert_exact(second.number) == 6 * 9 - len(wrong)
        for name in wrong:
            cmc_id, dataset = name.split("/")
            in_force = await published_as_of(store, second.number, cmc_id, dataset)
            assert in_force is not None
            assert in_force.run == first.number
            assert await house.exported(in_force) == yesterday[name]
        states = {name: (await house.cell(second.number, name)).state for name in wrong}
        assert states["120000/ua_org"] is State.ROLLED_BACK
        assert {states[name] for name in wrong if not name.startswith("120000")} == {State.HELD}


async def test_the_second_night_writes_only_what_changed(store: Database) -> None:
    async with ministry(store, scale=0.02) as house:
        await house.night(1)
        before = {code: await store[code].count_documents({}) for code in DATASETS}
        second = await house.night(2)
        manifests = await manifests_of(store, second.number)
        assert sum(each.counts.changed + each.counts.added for each in manifests) > 10
        for manifest in manifests:
            counts = manifest.counts
            written = await store[manifest.dataset].count_documents({"from": second.number})
            assert written == counts.added + counts.changed
            assert await store[manifest.dataset].count_documents({}) == before[manifest.dataset] + written
            closed = await store[manifest.dataset].count_documents({"to": second.number})
            assert closed == counts.changed + counts.removed
        assert await house.assert_exact(second.number) == 9


@pytest.mark.parametrize(
    ("fault", "verdict", "state"),
    [
        ("code=500", Verdict.REFUSED, State.ROLLED_BACK),
        ("404", Verdict.REFUSED, State.ROLLED_BACK),
        ("html", Verdict.REFUSED, State.ROLLED_BACK),
        ("truncated", Verdict.REFUSED, State.ROLLED_BACK),
        ("redirect", Verdict.REFUSED, State.ROLLED_BACK),
        ("509", Verdict.REFUSED, State.ROLLED_BACK),
        ("dead", Verdict.UNREACHABLE, State.ROLLED_BACK),
        ("total=+5", Verdict.SHORT, State.HELD),
        ("total=absent", Verdict.SHORT, State.HELD),
        ("total=negative", Verdict.SHORT, State.HELD),
        ("ignore-page", Verdict.SHORT, State.HELD),
        ("clamp-limit=20", Verdict.PROVEN, State.PUBLISHED),
        ("total=-5", Verdict.SURPLUS, State.HELD),
        ("drift", Verdict.DRIFTING, State.HELD),
        ("swap", Verdict.DRIFTING, State.HELD),
        ("total=moving", Verdict.SHORT, State.HELD),
        ("duplicates=4", Verdict.DUPLICATED, State.PUBLISHED),
        ("conflicts=4", Verdict.DUPLICATED, State.PUBLISHED),
        ("drift=1", Verdict.REPAIRED, State.PUBLISHED),
        ("grow=1", Verdict.REPAIRED, State.PUBLISHED),
        ("grow", Verdict.DRIFTING, State.HELD),
        ("nokey=3", Verdict.PROVEN, State.PUBLISHED),
        ("clamp=20", Verdict.PROVEN, State.PUBLISHED),
        ("ignore-size", Verdict.PROVEN, State.PUBLISHED),
        ("echo-last", Verdict.PROVEN, State.PUBLISHED),
        ("error-past-end", Verdict.PROVEN, State.PUBLISHED),
        ("total=string", Verdict.PROVEN, State.PUBLISHED),
        ("bom", Verdict.PROVEN, State.PUBLISHED),
        ("stray-keys", Verdict.PROVEN, State.PUBLISHED),
        ("badrows=5", Verdict.PROVEN, State.PUBLISHED),
        ("foreign", Verdict.PROVEN, State.PUBLISHED),
        ("unknown-fields", Verdict.PROVEN, State.PUBLISHED),
        ("big-body=30", Verdict.PROVEN, State.PUBLISHED),
        ("509=1", Verdict.PROVEN, State.PUBLISHED),
        ("500=1", Verdict.PROVEN, State.PUBLISHED),
        ("truncated=1", Verdict.PROVEN, State.PUBLISHED),
        ("reset=1", Verdict.PROVEN, State.PUBLISHED),
    ],
)
async def test_each_fault_has_its_verdict(
    store: Database, fault: str, verdict: Verdict, state: State
) -> None:
    only = Selection(datasets=("ua_user",))
    async with ministry(store, f"110000/ua_user:{fault}") as house:
        run = await house.night(1, selection=only)
        manifest = await house.cell(run.number, "110000/ua_user")
        assert (manifest.verdict, manifest.state) == (verdict, state), manifest.reason
        if state is State.PUBLISHED:
            assert await house.assert_exact(run.number) == 1
        elif state is State.ROLLED_BACK:
            assert await store["ua_user"].count_documents({}) == 0


async def test_a_row_that_comes_at_the_end_costs_a_look_and_no_second_pass(store: Database) -> None:
    only = Selection(datasets=("ua_user",))
    async with ministry(store, "110000/ua_user:grow=1") as house:
        run = await house.night(1, selection=only)
        manifest = await house.cell(run.number, "110000/ua_user")
        assert (manifest.verdict, manifest.passes) == (Verdict.REPAIRED, 1)
        assert (manifest.reason_code, dict(manifest.reason_values)) == (Why.MOVED_UNREAD, {"rows": 1})
        assert manifest.counts.declared_first == manifest.counts.unchanged + manifest.counts.added - 1
        assert manifest.counts.declared == manifest.counts.stored == manifest.counts.added
        # the pages, page 1 again, and the one or two pages before the total moved
        assert manifest.pages + 2 <= manifest.attempts <= manifest.pages + 3
        assert await house.assert_exact(run.number) == 1


async def test_every_request_is_in_the_ledger(store: Database) -> None:
    faults = ("110000/ua_user:500=1", "110000/mdm_device:reset=1", "110000/hardware:ignore-page")
    async with ministry(store, *faults) as house:
        run = await house.night(1)
        asked = [request for request in house.simulator.requests if request.dataset]
        noted = [
            (each.page_num, each.page_size, manifest.dataset)
            for manifest in await manifests_of(store, run.number)
            for each in await attempts_of(store, manifest)
        ]
        assert sorted(noted) == sorted((each.page_num, each.page_size, each.dataset) for each in asked)


async def test_rule_breaks_are_stored_flagged_and_masked(store: Database) -> None:
    async with ministry(store, "110000/ua_user:badrows=5") as house:
        run = await house.night(1)
        manifest = await house.cell(run.number, "110000/ua_user")
        assert manifest.counts.flagged == 5
        assert sum(rule.rows for rule in manifest.rules) >= 5
        assert await store["ua_user"].count_documents({"flags": {"$ne": []}}) == 5


async def test_a_province_without_address_and_a_dataset_switched_off_are_unregistered(
    store: Database,
) -> None:
    def edit(text: str) -> str:
        head, first, second = text.split("[[province]]\n")
        silent = "".join(line for line in second.splitlines(True) if not line.startswith("pullAddressList"))
        return f"{head}[[province]]\n{first}[province.datasets]\nhardware = false\n[[province]]\n{silent}"

    async with ministry(store, provinces=("110000", "120000"), edit=edit) as house:
        run = await house.night(1)
        assert run.summary == {"proven": 8, "unregistered": 10}
        assert (await house.cell(run.number, "110000/hardware")).state is State.NONE


async def test_a_store_that_lost_a_record_is_a_mismatch_and_rolled_back(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = SnapshotWriter.finish

    async def losing(self: SnapshotWriter, tally: Any) -> Stored:
        await store["ua_org"].delete_one({})
        return await finish(self, tally)

    monkeypatch.setattr(SnapshotWriter, "finish", losing)
    async with ministry(store) as house:
        run = await house.night(1, selection=Selection(datasets=("ua_org",)), balanced=False)
        manifest = await house.cell(run.number, "110000/ua_org")
        assert (manifest.verdict, manifest.state) == (Verdict.STORE_MISMATCH, State.ROLLED_BACK)
        assert await store["ua_org"].count_documents({}) == 0


async def test_a_page_size_that_was_too_large_is_remembered_and_recovers_step_by_step(
    store: Database,
) -> None:
    only = Selection(datasets=("ua_user",))
    large = FAST.replace("page_size = 50", "page_size = 200")
    async with ministry(store, "110000/ua_user:big-body=30@1", defaults=large) as house:
        sizes = []
        for night in (1, 2, 3, 4):
            house.simulator.requests.clear()
            run = await house.night(night, selection=only)
            assert run.summary == {"proven": 1}
            sizes.append((house.simulator.requests[0].page_size, house.simulator.requests[-1].page_size))
        assert sizes == [(200, 25), (50, 50), (100, 100), (200, 200)]
        assert (await house.cell(1, "110000/ua_user")).page_size == 25


async def test_a_page_that_times_out_is_asked_for_in_halves_once(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Selection(datasets=("ua_user",))
    patience = Patience(monkeypatch, 61)
    monkeypatch.setattr(Simulator, "_wait", patience.ends_when(Simulator._wait))
    impatient = FAST.replace("_seconds = 60", "_seconds = 61").replace("in_flight = 3", "in_flight = 1")
    async with ministry(store, "110000/ua_user:hang=2;after=2", defaults=impatient) as house:
        run = await house.night(1, selection=only)
        manifest = await house.cell(run.number, "110000/ua_user")
        assert (manifest.verdict, manifest.page_size) == (Verdict.PROVEN, 25)
        assert await house.assert_exact(run.number) == 1


async def test_a_clamped_page_size_is_written_down(store: Database) -> None:
    async with ministry(store, "110000/ua_user:clamp=20") as house:
        run = await house.night(1, selection=Selection(datasets=("ua_user",)))
        manifest = await house.cell(run.number, "110000/ua_user")
        assert (manifest.clamped, manifest.page_size) == (True, 20)


async def test_a_dead_address_is_followed_by_the_next_one_in_a_fresh_pass(store: Database) -> None:
    async with ministry(store, "110000#1:dead;after=3", mirrors=2) as house:
        run = await house.night(1)
        assert run.summary in ({"proven": 8, "repaired": 1}, {"proven": 9})
        assert await house.assert_exact(run.number) == 9
        users = await house.cell(run.number, "110000/ua_user")
        assert str(users.address).endswith("/110000-b")
        assert len(users.dead_addresses) == 1
        assert "/110000: disconnected" in users.dead_addresses[0]


async def test_a_held_snapshot_is_accepted_and_becomes_the_base_of_the_next_night(store: Database) -> None:
    guarded = FAST + "guard = { rows = 50, percent = 20, minimum = 100 }\n"
    async with ministry(store, "110000/ua_user:shrunk=60@2,3", defaults=guarded) as house:
        only = Selection(datasets=("ua_user",))
        await house.night(1, selection=only)
        second = await house.night(2, selection=only)
        held = await house.cell(second.number, "110000/ua_user")
        assert held.state is State.HELD
        acceptance = Acceptance(by="wang", at=MIDNIGHT, reason="confirmed")
        accepted = await accept(store, held, digest=str(held.digest)[:12], acceptance=acceptance)
        assert accepted.state is State.PUBLISHED
        assert accepted.accepted is not None
        assert await house.assert_exact(second.number) == 1
        third = await house.night(3, selection=only)
        last = await house.cell(third.number, "110000/ua_user")
        assert (last.verdict, last.base) == (Verdict.PROVEN, second.number)


async def test_a_held_snapshot_that_nobody_accepts_is_rolled_back_by_the_next_night(store: Database) -> None:
    guarded = FAST + "guard = { rows = 50, percent = 20, minimum = 100 }\n"
    async with ministry(store, "110000/ua_user:shrunk=60@2", defaults=guarded) as house:
        only = Selection(datasets=("ua_user",))
        first = await house.night(1, selection=only)
        second = await house.night(2, selection=only)
        third = await house.night(3, selection=only)
        assert (await house.cell(second.number, "110000/ua_user")).state is State.ROLLED_BACK
        last = await house.cell(third.number, "110000/ua_user")
        assert (last.verdict, last.base) == (Verdict.PROVEN, first.number)
        assert await house.assert_exact(third.number) == 1


async def test_a_stopped_run_is_incomplete_and_leaves_nothing(store: Database) -> None:
    def stop(crawl: Crawl, _province: Any, dataset: Any, _received: int) -> None:
        if dataset.code == "ua_user":
            crawl.stop()

    async with ministry(store) as house:
        run = await house.night(1, on_page=stop)
        assert run.status is RunStatus.STOPPED
        verdicts = await house.verdicts(run.number)
        assert verdicts["110000/ua_org"] is Verdict.PROVEN
        assert {verdicts[f"110000/{code}"] for code in DATASETS if code != "ua_org"} == {Verdict.INCOMPLETE}
        assert await store["ua_user"].count_documents({}) == 0


async def test_a_window_that_closes_ends_the_walk_as_incomplete(store: Database) -> None:
    async with ministry(store, defaults=FAST + 'window = "01:00-03:00"\n') as house:

        def close(_crawl: Crawl, _province: Any, dataset: Any, _received: int) -> None:
            if dataset.code == "mdm_device":
                house.clock.at = MIDNIGHT + timedelta(hours=3)

        run = await house.night(1, ignore_windows=False, on_page=close)
        verdicts = await house.verdicts(run.number)
        assert verdicts["110000/ua_user"] is Verdict.PROVEN
        assert verdicts["110000/mdm_device"] is Verdict.INCOMPLETE
        assert run.status is RunStatus.FINISHED


async def test_outside_every_window_a_run_does_not_begin(store: Database) -> None:
    async with ministry(store, defaults=FAST + 'window = "03:00-04:00"\n') as house:
        with pytest.raises(TryLater, match="opens at 2026-11-24 03:00"):
            await house.night(1, ignore_windows=False)
        assert await list_runs(store, 10) == []
        assert house.simulator.requests == []


async def test_the_lease_lets_one_run_at_a_time(store: Database) -> None:
    async with ministry(store) as house:
        refused: list[TryLater] = []

        async def another() -> None:
            with pytest.raises(TryLater, match="another crawl is running") as caught:
                await house.night(1)
            refused.append(caught.value)

        tasks: list[Any] = []

        def start(_crawl: Crawl, _province: Any, dataset: Any, _received: int) -> None:
            if dataset.code == "ua_org":
                import asyncio

                tasks.append(asyncio.get_running_loop().create_task(another()))

        await house.night(1, on_page=start)
        for task in tasks:
            await task
        assert refused
        assert [run.number for run in await list_runs(store, 10)] == [1]


async def test_a_defect_of_ours_costs_one_province_and_no_other(
    store: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    apply = SnapshotWriter.apply

    async def failing(self: SnapshotWriter, *arguments: Any) -> None:
        first = arguments[0].records[0] if arguments[0].records else {}
        if first.get("cmcId") == "120000" and "userId" in first:
            raise ZeroDivisionError
        await apply(self, *arguments)

    monkeypatch.setattr(SnapshotWriter, "apply", failing)
    async with ministry(store, provinces=("110000", "120000")) as house:
        run = await house.night(1)
        broken = await house.cell(run.number, "120000/ua_user")
        assert (broken.verdict, broken.state) == (Verdict.INCOMPLETE, State.ROLLED_BACK)
        assert broken.reason == "internal error: ZeroDivisionError"
        assert run.summary == {"proven": 10, "incomplete": 8}
        assert "this program failed" in caplog.text


async def test_a_selection_pulls_only_what_it_names(store: Database) -> None:
    async with ministry(store, provinces=("110000", "120000")) as house:
        run = await house.night(1, selection=Selection(provinces=("天津市",), datasets=("ua_org", "pm_app")))
        assert set(await house.verdicts(run.number)) == {"120000/ua_org", "120000/pm_app"}
        assert {request.cmc_id for request in house.simulator.requests} == {"120000"}
        assert len(await heads(store)) == 2


async def _all_rows(house: Any, run: int) -> Any:
    for manifest in await manifests_of(house.db, run):
        yield f"{manifest.cmc_id}/{manifest.dataset}", await house.exported(manifest)
