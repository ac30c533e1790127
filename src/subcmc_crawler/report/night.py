"""The report model: a night as one value, from which every rendering is made.

`build()` only arranges what the manifests say. Nothing here is counted a second time or guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Final

from subcmc_crawler.model import (
    ARRIVED,
    CLEAN,
    Comparison,
    Manifest,
    ReferenceCount,
    References,
    RunRecord,
    State,
    Verdict,
)
from subcmc_crawler.spec.datasets import DATASETS

_ROLLED_BACK: Final = frozenset({State.ROLLED_BACK, State.ROLLING_BACK})
_RESUMABLE: Final = frozenset({None, Verdict.INCOMPLETE, Verdict.UNREACHABLE})
URGENCY: Final = (
    Verdict.STORE_MISMATCH,
    Verdict.SHRUNK,
    Verdict.SHORT,
    Verdict.SURPLUS,
    Verdict.DRIFTING,
    Verdict.REFUSED,
    Verdict.UNREACHABLE,
    Verdict.INCOMPLETE,
)
"""Verdicts that need somebody, the most urgent first."""


class Since(StrEnum):
    """How a cell stands beside the run before; `FIRST` when there is nothing to compare."""

    FIRST = "first"
    SAME = "same"
    NEW_FAULT = "new-fault"
    STILL_FAULTY = "still-faulty"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One (province, dataset) of the night.

    `in_force` is the run whose snapshot readers see, None when no published one is known. `faulty_runs`
    counts the runs in a row, this one included, that were not clean, as far as the given past goes. `references`
    are those of its own fields, none where they were not counted. `comparison` is that with the ministry's own
    platform, None where it was not asked.
    """

    manifest: Manifest
    since: Since
    in_force: int | None
    faulty_runs: int = 0
    references: tuple[ReferenceCount, ...] = ()
    comparison: Comparison | None = None

    @property
    def name(self) -> str:
        """`620000/hardware`, as the commands take it."""
        return f"{self.manifest.cmc_id}/{self.manifest.dataset}"

    @property
    def pending(self) -> bool:
        """No verdict yet: the walk goes on, or its run crashed."""
        return self.manifest.verdict is None

    @property
    def clean(self) -> bool:
        """A verdict that leaves the run clean, and a snapshot that did not get stuck on its way."""
        return _clean(self.manifest)

    @property
    def tolerated(self) -> bool:
        """Published although not as many rows came as declared: within the tolerance of its registration."""
        return self.clean and bool(self.manifest.counts.missing)

    @property
    def accepted(self) -> bool:
        """Published by an operator's decision."""
        return self.manifest.accepted is not None

    @property
    def held(self) -> bool:
        """Waits for `subcmc accept`."""
        return self.manifest.state is State.HELD


@dataclass(frozen=True, slots=True)
class Province:
    """A row of the matrix: the cells of one province by dataset code."""

    cmc_id: str
    name: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Problem:
    """Cells of one province that failed for one and the same reason; held cells stand alone."""

    cells: tuple[Cell, ...]

    @property
    def first(self) -> Cell:
        """The cell that speaks for all."""
        return self.cells[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The night in numbers.

    Rows received and declared are of every cell; stored, added, changed and removed of published cells alone,
    because what is not published changed nothing.
    """

    provinces: int
    cells: int
    published: int
    held: int
    rolled_back: int
    unregistered: int
    pending: int
    accepted: int
    not_clean: int
    new_faults: int
    recovered: int
    tolerated: int
    undeclared: int
    declared: int
    received: int
    stored: int
    added: int
    changed: int
    removed: int
    flagged: int
    quarantined: int
    attempts: int
    bytes: int
    rest_seconds: float
    seconds: float | None

    @property
    def clean(self) -> bool:
        """Every cell has a verdict, and each leaves the run clean."""
        return not self.not_clean and not self.pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run, arranged for reading. `summary` names every verdict, zeros too, in the order of the table."""

    run: RunRecord
    headline: Headline
    summary: Mapping[Verdict, int]
    provinces: tuple[Province, ...]
    cells: tuple[Cell, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is not clean: the most urgent first, what an operator accepted last."""
        return _problems(self.cells)

    @property
    def resumable(self) -> tuple[Cell, ...]:
        """Cells that another try in this night could still bring in."""
        return tuple(cell for cell in self.cells if cell.manifest.verdict in _RESUMABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRow:
    """What changed in one (province, dataset) between two runs; `keys` holds (change, masked key).

    `in_force` is the run of the later of the two snapshots; it is older than the run that was asked for where
    that run published none.
    """

    cmc_id: str
    dataset: str
    added: int
    changed: int
    removed: int
    keys: tuple[tuple[str, str], ...] = ()
    in_force: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One version of a record: it holds in runs `from_run <= n < to_run`, None while it is open."""

    from_run: int
    to_run: int | None
    hash: str
    started_at: datetime | None
    changed: tuple[str, ...] = ()
    state: str = ""


def build(
    run: RunRecord,
    manifests: Sequence[Manifest],
    *,
    previous: Sequence[Manifest] = (),
    order: Sequence[str] = (),
    references: Mapping[str, References] = MappingProxyType({}),
    comparisons: Mapping[tuple[str, str], Comparison] = MappingProxyType({}),
) -> Report:
    """The report of a run from its manifests.

    `previous` holds manifests of earlier runs: the more, the further back faults in a row are counted.
    `order` is the cmcIds of the registry; without it provinces stand as they first appear. `references` are by
    cmcId, `comparisons` by cmcId and dataset.
    """
    past = _past(run.number, previous)
    ranks = {cmc_id: rank for rank, cmc_id in enumerate(_ordered(manifests, order))}
    columns = {code: rank for rank, code in enumerate(DATASETS)}
    arranged = sorted(
        manifests, key=lambda m: (ranks[m.cmc_id], columns.get(m.dataset, len(columns)), m.dataset)
    )
    cells = tuple(
        cell_of(
            manifest,
            past.get((manifest.cmc_id, manifest.dataset), ()),
            references[manifest.cmc_id].of(manifest.dataset) if manifest.cmc_id in references else (),
            comparisons.get((manifest.cmc_id, manifest.dataset)),
        )
        for manifest in arranged
    )
    provinces = tuple(_provinces(cells))
    return Report(
        run=run,
        headline=_headline(run, cells, len(provinces)),
        summary={verdict: sum(cell.manifest.verdict is verdict for cell in cells) for verdict in Verdict},
        provinces=provinces,
        cells=cells,
    )


def advice(verdict: Verdict) -> str:
    """The label key of the line that tells an operator what to do about a verdict."""
    return f"advice.{verdict}"


def _ordered(manifests: Sequence[Manifest], order: Sequence[str]) -> Iterable[str]:
    return dict.fromkeys((*order, *(manifest.cmc_id for manifest in manifests)))


def _past(number: int, previous: Sequence[Manifest]) -> Mapping[tuple[str, str], Sequence[Manifest]]:
    """Earlier manifests of each cell, the latest first."""
    past: dict[tuple[str, str], list[Manifest]] = {}
    for manifest in sorted(previous, key=lambda m: m.run, reverse=True):
        if manifest.run < number:
            past.setdefault((manifest.cmc_id, manifest.dataset), []).append(manifest)
    return past


def cell_of(
    manifest: Manifest,
    past: Sequence[Manifest] = (),
    references: tuple[ReferenceCount, ...] = (),
    comparison: Comparison | None = None,
) -> Cell:
    """A manifest beside its own past, the latest first."""
    return Cell(
        manifest=manifest,
        since=_since(manifest, past[0] if past else None),
        in_force=_in_force(manifest, past),
        faulty_runs=_faulty_runs((manifest, *past)),
        references=references,
        comparison=comparison,
    )


def _clean(manifest: Manifest) -> bool:
    return manifest.verdict in CLEAN and manifest.state in ARRIVED


def _since(manifest: Manifest, before: Manifest | None) -> Since:
    if before is None or before.verdict is None or manifest.verdict is None:
        return Since.FIRST
    was_clean, is_clean = _clean(before), _clean(manifest)
    if not is_clean:
        return Since.NEW_FAULT if was_clean else Since.STILL_FAULTY
    return Since.SAME if was_clean or manifest.state is not State.PUBLISHED else Since.RECOVERED


def _in_force(manifest: Manifest, past: Sequence[Manifest]) -> int | None:
    if manifest.state is State.PUBLISHED:
        return manifest.run
    if manifest.base is not None:
        return manifest.base
    return next((old.run if old.state is State.PUBLISHED else old.base for old in past if _knows(old)), None)


def _knows(manifest: Manifest) -> bool:
    return manifest.state is State.PUBLISHED or manifest.base is not None


def _faulty_runs(manifests: Iterable[Manifest]) -> int:
    faulty = 0
    for manifest in manifests:
        if manifest.verdict is None or _clean(manifest):
            break
        faulty += 1
    return faulty


def _provinces(cells: Iterable[Cell]) -> Iterable[Province]:
    for cmc_id, group in groupby(cells, key=lambda cell: cell.manifest.cmc_id):
        row = tuple(group)
        yield Province(cmc_id, row[0].manifest.province, {cell.manifest.dataset: cell for cell in row})


def _headline(run: RunRecord, cells: Sequence[Cell], provinces: int) -> Headline:
    manifests = [cell.manifest for cell in cells]
    published = [manifest.counts for manifest in manifests if manifest.state is State.PUBLISHED]
    return Headline(
        provinces=provinces,
        cells=len(cells),
        published=len(published),
        held=sum(cell.held for cell in cells),
        rolled_back=sum(manifest.state in _ROLLED_BACK for manifest in manifests),
        unregistered=sum(manifest.verdict is Verdict.UNREGISTERED for manifest in manifests),
        pending=sum(cell.pending for cell in cells),
        accepted=sum(cell.accepted for cell in cells),
        not_clean=sum(not cell.clean and not cell.pending for cell in cells),
        new_faults=sum(cell.since is Since.NEW_FAULT for cell in cells),
        recovered=sum(cell.since is Since.RECOVERED for cell in cells),
        tolerated=sum(cell.tolerated for cell in cells),
        undeclared=sum(
            manifest.counts.declared is None and manifest.counts.received > 0 for manifest in manifests
        ),
        declared=sum(manifest.counts.declared or 0 for manifest in manifests),
        received=sum(manifest.counts.received for manifest in manifests),
        stored=sum(counts.stored or 0 for counts in published),
        added=sum(counts.added for counts in published),
        changed=sum(counts.changed for counts in published),
        removed=sum(counts.removed for counts in published),
        flagged=sum(counts.flagged for counts in published),
        quarantined=sum(manifest.counts.quarantined for manifest in manifests),
        attempts=sum(manifest.attempts for manifest in manifests),
        bytes=sum(manifest.bytes for manifest in manifests),
        rest_seconds=sum(manifest.rest_seconds for manifest in manifests),
        seconds=(run.finished_at - run.started_at).total_seconds() if run.finished_at else None,
    )


def _problems(cells: Iterable[Cell]) -> tuple[Problem, ...]:
    groups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        if not cell.clean and not cell.pending:
            groups.setdefault(_likeness(cell), []).append(cell)
    problems = [Problem(tuple(group)) for group in groups.values()]
    return tuple(sorted(problems, key=_urgency))


def _likeness(cell: Cell) -> tuple[object, ...]:
    """Equal for cells that one entry can tell: nothing of their own to decide, no counts to balance."""
    manifest = cell.manifest
    if cell.held or cell.accepted or manifest.counts.received or manifest.counts.declared is not None:
        return (cell.name,)
    return (manifest.cmc_id, manifest.verdict, manifest.reason, manifest.state, cell.in_force, cell.since)


def _urgency(problem: Problem) -> tuple[bool, int]:
    verdict = problem.first.manifest.verdict
    return problem.first.accepted, URGENCY.index(verdict) if verdict in URGENCY else -1
