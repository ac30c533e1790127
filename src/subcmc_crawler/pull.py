"""One province, one night: walk each dataset, reconcile, publish. Open this first.

`pull_province()` goes through the nine datasets. A `Walk` makes passes over one dataset until one is clean or
no further pass would help. The decisions are those of `province.walking`, the requests those of `passing`, the
writes those of `store.writing`, the verdict that of `reconcile`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from subcmc_crawler.errors import Fault, Unreachable
from subcmc_crawler.halting import Halt
from subcmc_crawler.model import Attempt, Counts, Ending, Manifest, PageRecord, State, Verdict
from subcmc_crawler.naming import Naming
from subcmc_crawler.passing import WalkPass
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.asking import Asker
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.registry import Province
from subcmc_crawler.province.settings import DatasetSettings
from subcmc_crawler.province.tally import Sorted
from subcmc_crawler.province.walking import (
    PassFacts,
    agrees,
    another_pass,
    next_page_size,
    next_realign,
    recovered_size,
)
from subcmc_crawler.reconcile import Evidence, Finding, Why, verdict
from subcmc_crawler.spec.datasets import DATASETS, Dataset
from subcmc_crawler.store import Database
from subcmc_crawler.store.counting import Stored
from subcmc_crawler.store.order import NotAsServed
from subcmc_crawler.store.reading import pages_as_served
from subcmc_crawler.store.references import ReferenceCounting, write_references
from subcmc_crawler.store.resuming import OpenPass, Reopened
from subcmc_crawler.store.runs import find_manifest, write_manifests
from subcmc_crawler.store.undoing import roll_back_unsettled
from subcmc_crawler.store.writing import SnapshotWriter

_UNWALKED: Final = (None, Verdict.INCOMPLETE, Verdict.UNREGISTERED)  # by now it may be registered
_UNSETTLED: Final = (State.COLLECTING, State.ROLLING_BACK)
_STORED: Final = (State.PUBLISHED, State.HELD)


class Observer(Protocol):
    """Who wants to see a night while it happens."""

    def page(self, province: Province, dataset: Dataset, received: int, declared: int | None) -> None:
        """A page was stored; the counts are those of the pass so far."""

    def cell(self, manifest: Manifest) -> None:
        """A dataset of a province has its verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What all pulls of a run share."""

    db: Database
    run: int
    fence: int
    observer: Observer
    now: Callable[[], datetime]
    datasets: Collection[str] = ()  # the codes to pull; empty for all
    surely: Callable[[], bool] = lambda: False  # whether the lease is ours beyond doubt
    resumed: bool = False  # the run goes on after a crash or a stop: what has its verdict keeps it


async def pull_province(province: Province, night: Night, asker: Asker, *, halted: Halt) -> list[Manifest]:
    """The manifests of all datasets that were asked for, in the order of the specification."""
    manifests = []
    dead: dict[Address, Fault] = {}
    counting = ReferenceCounting(night.db, night.run, province.cmc_id)
    datasets = [each for each in DATASETS.values() if not night.datasets or each.code in night.datasets]
    off = await _off(province, datasets, night)
    for dataset in datasets:
        settings = province.datasets[dataset.code]
        if (concluded := await find_concluded(night, province, dataset)) is not None:
            manifest = concluded
            dead |= _given_up(province, concluded)
        elif settings is None or not province.addresses:
            manifest = off[dataset.code]
        else:
            walk = Walk(province, dataset, settings, night, asker, halted=halted, dead=dead)
            manifest = await walk.run()
            await counting.walked(manifest, walk.naming)
        counting.concluded(manifest)
        night.observer.cell(manifest)
        manifests.append(manifest)
    if not halted.stopped and any(each.state in _STORED for each in manifests):
        await write_references(night.db, await counting.finish(), fence=night.fence)
    return manifests


async def find_concluded(night: Night, province: Province, dataset: Dataset) -> Manifest | None:
    """The manifest of a cell that this run has concluded before it was broken off."""
    found = await find_manifest(night.db, night.run, province.cmc_id, dataset.code) if night.resumed else None
    if found is None or found.verdict in _UNWALKED or found.state in _UNSETTLED:
        return None
    return found


def _given_up(province: Province, manifest: Manifest) -> dict[Address, Fault]:
    """The addresses that an earlier process of this run had found dead, as it wrote them down."""
    told = dict(line.split(": ", 1) for line in manifest.dead_addresses)
    known = [each for each in province.addresses if str(each) in told]
    return {each: Unreachable(*told[str(each)].partition(": ")[::2]) for each in known}


async def _off(province: Province, datasets: Collection[Dataset], night: Night) -> dict[str, Manifest]:
    """The manifests of those datasets that are not registered, by code; written down together."""
    off = {
        each.code: await _unregistered(province, each, night)
        for each in datasets
        if (province.datasets[each.code] is None or not province.addresses)
        and await find_concluded(night, province, each) is None
    }
    await write_manifests(night.db, off.values())
    return off


async def _unregistered(province: Province, dataset: Dataset, night: Night) -> Manifest:
    reason, why = "no pull address is registered", Why.NO_ADDRESS
    if province.addresses:
        reason, why = "switched off in the registry", Why.SWITCHED_OFF
    found = await find_manifest(night.db, night.run, province.cmc_id, dataset.code) if night.resumed else None
    if found is not None and found.state in _UNSETTLED:  # its manifest is all that tells of what it staged
        await roll_back_unsettled(night.db, dataset.code, province.cmc_id, night.run)
    opened = _opened(province, dataset, night)
    return replace(
        opened,
        state=State.NONE,
        verdict=Verdict.UNREGISTERED,
        reason=reason,
        reason_code=why,
        finished_at=opened.started_at,
    )


def broken_off(province: Province, night: Night, reason: str) -> list[Manifest]:
    """What is written down of a province whose pull our own defect broke off, a manifest a dataset."""
    return [
        replace(
            _opened(province, dataset, night),
            state=State.ROLLED_BACK,
            verdict=Verdict.INCOMPLETE,
            reason=reason,
            finished_at=night.now(),
        )
        for dataset in DATASETS.values()
        if not night.datasets or dataset.code in night.datasets
    ]


def _opened(province: Province, dataset: Dataset, night: Night) -> Manifest:
    return Manifest(
        run=night.run,
        cmc_id=province.cmc_id,
        province=province.name,
        dataset=dataset.code,
        state=State.COLLECTING,
        started_at=night.now(),
    )


class Walk:
    """All passes over one dataset of one province, up to its verdict.

    `dead` are the addresses that did not answer in this run; the walk adds to them.
    """

    def __init__(
        self,
        province: Province,
        dataset: Dataset,
        settings: DatasetSettings,
        night: Night,
        asker: Asker,
        *,
        halted: Halt,
        dead: dict[Address, Fault],
    ) -> None:
        self._province = province
        self._dataset = dataset
        self._settings = settings
        self._night = night
        self._asker = asker
        self._halted = halted
        self._dead = dead
        self.naming = Naming(dataset)  # of the last pass
        self._opened = _opened(province, dataset, night)
        self._writer = SnapshotWriter(night.db, dataset, self._opened, fence=night.fence, surely=night.surely)
        self._passes: list[PassFacts] = []  # those that came to an end, which the decisions look at
        self._endings: list[Ending] = []
        self._number = 0  # of the last pass
        self._page_size = settings.page_size
        self._attempts = 0
        self._bytes = 0
        self._faults: Counter[str] = Counter()
        self._rested_before = asker.rested_seconds

    async def run(self) -> Manifest:
        """Walks until the verdict, and settles the snapshot accordingly."""
        reopened = await self._writer.reopen() if self._night.resumed else None
        if reopened is None:
            self._opened = await self._writer.begin()
        else:
            self._recall(reopened)
        self._page_size = recovered_size(await self._last_size(), self._settings.page_size)
        last = await self._passes_over(reopened.open_pass if reopened else None)
        complete = last is not None and self._endings[-1] not in (Ending.FAILED, Ending.STOPPED)
        stored = await self._writer.finish(last.tally) if last and complete else None
        counts = self._counts(last, stored)
        manifest = self._concluded(last, counts, self._finding(last, counts, stored), stored)
        await self._writer.settle(manifest)
        return manifest

    async def _last_size(self) -> int | None:
        """The page size that this province could bear when it was walked last; None when nothing is known."""
        before = await self._writer.past.walked(self._night.db) if self._writer.past else None
        return before.page_size if before and not before.clamped else None

    def _recall(self, reopened: Reopened) -> None:
        """Takes over what an earlier process of this run did for this walk."""
        self._opened = reopened.manifest or self._opened
        self._passes = list(reopened.passes)
        self._endings = list(reopened.endings)
        self._number = reopened.last_pass
        self._attempts = reopened.attempts
        self._bytes = reopened.bytes
        self._faults.update(reopened.faults)

    async def _passes_over(self, left: OpenPass | None) -> WalkPass | None:
        """Passes until one settles the walk, each on one address; None when every address is known dead.

        The first one goes on with the pass that was `left` open, if its pages can be had from the store. A pass
        that failed is followed by a fresh one on the next address.
        """
        last: WalkPass | None = None
        failed: set[Address] = set()
        current = await self._replayed(left) if left else None
        while True:
            if current is None:
                address = self._next_address(failed)
                if address is None:
                    return last
                if self._number:
                    await self._writer.restart()
                self._number += 1
                size = next_page_size(tuple(self._passes), self._page_size)
                current = self._pass_on(address, number=self._number, page_size=size)
            last, current = current, None
            facts = await last.walk()
            await self._writer.end_pass(last.number, facts, self._drained())
            self._endings.append(facts.ending)
            if facts.ending is Ending.FAILED:
                failed.add(last.address)
                if isinstance(last.fault, Unreachable):
                    self._dead[last.address] = last.fault
                continue
            self._passes.append(facts)
            if not another_pass(tuple(self._passes), max_passes=self._settings.max_passes):
                return last

    async def _replayed(self, left: OpenPass) -> WalkPass | None:
        """The pass that was left open, its pages taken from the store; None when they are not all there."""
        usable = (each for each in self._province.addresses if each not in self._dead)
        address = next((each for each in usable if str(each) == left.address), None)
        if address is None:
            return None
        walk_pass = self._pass_on(address, number=left.number, page_size=left.page_size)
        try:
            async for page in pages_as_served(
                self._night.db, self._night.run, self._province.cmc_id, self._dataset.code, left.number
            ):
                if not walk_pass.replay(page.entry, page.rows):
                    return None
        except NotAsServed:
            return None
        await self._writer.align(walk_pass.tally, walk_pass=left.number, pages=walk_pass.ordinal)
        return walk_pass

    def _next_address(self, failed: set[Address]) -> Address | None:
        usable = (each for each in self._province.addresses if each not in self._dead and each not in failed)
        return next(usable, None)

    def _pass_on(self, address: Address, *, number: int, page_size: int) -> WalkPass:
        self.naming = Naming(self._dataset)
        return WalkPass(
            self._asker,
            self._dataset,
            self._settings,
            cmc_id=self._province.cmc_id,
            address=address,
            number=number,
            page_size=page_size,
            realign=next_realign(tuple(self._passes)),
            max_in_flight=self._province.pull.max_in_flight,
            halted=self._halted,
            keep=self._keep,
            naming=self.naming,
        )

    async def _keep(self, page: Page, rows: Sorted, record: PageRecord, received: int) -> None:
        await self._writer.apply(page, rows, record, self._drained())
        self._night.observer.page(self._province, self._dataset, received, page.total)

    def _finding(self, last: WalkPass | None, counts: Counts, stored: Stored | None) -> Finding:
        base = self._writer.base
        return verdict(
            Evidence(
                counts=counts,
                ending=self._endings[-1] if self._endings else Ending.FAILED,
                fault=last.fault if last else next(iter(self._dead.values())),
                agreed=len(self._passes) > 1 and agrees(self._passes[-2], self._passes[-1]),
                passes=len(self._endings),
                served_digest=stored.served_digest if stored else None,
                stored_digest=stored.digest if stored else None,
                base=base.counts.distinct if base else None,
                tolerance=self._settings.tolerance,
                moved=last.state.moved if last else 0,
                guard=self._settings.guard,
            )
        )

    def _counts(self, last: WalkPass | None, stored: Stored | None) -> Counts:
        if last is None:
            return Counts()
        tally, changes, state = last.tally, self._writer.changes, last.state
        return Counts(
            declared=state.declared,
            declared_first=state.totals[0] if state.totals else None,
            received=tally.received,
            distinct=tally.distinct,
            repeated=tally.repeated,
            conflicting=tally.conflicting,
            quarantined=tally.quarantined,
            flagged=tally.flagged,
            stored=stored.rows if stored else None,
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
            unchanged=changes.unchanged,
        )

    def _concluded(
        self, last: WalkPass | None, counts: Counts, finding: Finding, stored: Stored | None
    ) -> Manifest:
        finished = self._night.now()
        started = self._opened.started_at or finished
        manifest = replace(
            self._opened,
            state=finding.state,
            verdict=finding.verdict,
            reason=finding.reason,
            reason_code=finding.reason_code,
            reason_values=finding.reason_values,
            counts=counts,
            passes=len(self._endings),
            endings=tuple(ending.value for ending in self._endings),
            attempts=self._attempts,
            bytes=self._bytes,
            faults=dict(self._faults),
            dead_addresses=tuple(f"{each}: {fault}" for each, fault in self._dead.items()),  # see _given_up
            seconds=round((finished - started).total_seconds(), 3),
            rest_seconds=round(self._asker.rested_seconds - self._rested_before, 3),
            slowest_rate=self._asker.drain_slowest(),
            finished_at=finished,
        )
        if last is None:
            return manifest
        return replace(
            manifest,
            stored_pass=last.number if stored else None,
            pages=last.ordinal,
            address=str(last.address),
            page_size=last.state.page_size,
            clamped=last.state.clamped,
            digest=stored.digest if stored else None,
            collect_time_min=last.collect_times[0] if last.collect_times else None,
            collect_time_max=last.collect_times[1] if last.collect_times else None,
            rules=last.rule_breaks(),
            drift=dict(last.drift),
            deviations=dict(last.deviations),
        )

    def _drained(self) -> list[Attempt]:
        noted = self._asker.drain()
        self._attempts += len(noted)
        self._bytes += sum(attempt.bytes for attempt in noted)
        self._faults.update(attempt.fault for attempt in noted if attempt.fault)
        return noted
