"""How long the provinces took when they were pulled last."""

from __future__ import annotations

from dataclasses import replace

from store_cases import AT, BOTH_DRIVERS, opened

from subcmc_crawler.model import RunRecord, RunStatus
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store import Database
from subcmc_crawler.store.runs import begin_run, finish_run, past_durations, write_manifest

pytestmark = BOTH_DRIVERS


async def night(
    store: Database, status: RunStatus, *took: tuple[str, str, float], selection: tuple[str, ...] = ()
) -> None:
    begun = RunRecord(number=0, status=RunStatus.RUNNING, started_at=AT, selection=selection)
    run = await begin_run(store, begun)
    for cmc_id, code, seconds in took:
        manifest = opened(run.number, dataset=DATASETS[code], cmc=cmc_id)
        await write_manifest(store, replace(manifest, seconds=seconds))
    await finish_run(store, run.number, status, AT)


async def test_the_sum_of_the_last_whole_finished_run_that_has_the_province(store: Database) -> None:
    assert await past_durations(store) == {}
    await night(store, RunStatus.FINISHED, ("1", "ua_org", 9.0), ("2", "ua_org", 5.5))
    await night(store, RunStatus.FINISHED, ("1", "ua_org", 1.5), ("1", "ua_user", 2.0))
    await night(store, RunStatus.STOPPED, ("1", "ua_org", 70.0))
    await night(store, RunStatus.FINISHED, ("1", "ua_org", 80.0), selection=("1",))
    assert await past_durations(store) == {"1": 3.5, "2": 5.5}
    assert await past_durations(store, runs=1) == {"1": 3.5}
