"""Many nights side by side: how long a province has been faulty, and how old what is in force of it has grown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from subcmc_crawler.model import CLEAN, Manifest, RunRecord, RunStatus, Verdict
from subcmc_crawler.report.metrics import Published
from subcmc_crawler.report.night import Cell, cell_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """A province over the last runs that came to it.

    `cells` are those of the last such run, `run` its number. `faulty_runs` counts the runs in a row, that one
    included, in which a cell of it was not clean; `more` says that the known past ends there. `clean` is the last
    run before them. `oldest` is the oldest of its snapshots in force, None when it has none.
    """

    cmc_id: str
    name: str
    run: int
    cells: tuple[Cell, ...]
    faulty_runs: int
    more: bool
    clean: RunRecord | None
    oldest: Published | None

    @property
    def faulty(self) -> tuple[Cell, ...]:
        """The cells of the last run that were not clean."""
        return tuple(cell for cell in self.cells if not cell.clean and not cell.pending)

    @property
    def registered(self) -> bool:
        """Whether anything of it was to be pulled."""
        return any(cell.manifest.verdict is not Verdict.UNREGISTERED for cell in self.cells)


def streaks(
    manifests: Sequence[Manifest],
    runs: Sequence[RunRecord],
    published: Mapping[tuple[str, str], Published],
) -> tuple[Streak, ...]:
    """One of each province that has a manifest, by cmcId; `runs` are those whose manifests are given.

    A run that left a province out, or a cell without a verdict yet, neither begins nor ends a streak.
    """
    by_number = {run.number: run for run in runs}
    nights: dict[str, dict[int, list[Cell]]] = {}
    for manifest in manifests:
        if manifest.run in by_number:
            nights.setdefault(manifest.cmc_id, {}).setdefault(manifest.run, []).append(cell_of(manifest))
    return tuple(_streak(cmc_id, by_run, by_number, published) for cmc_id, by_run in sorted(nights.items()))


def clean_throughout(run: RunRecord) -> bool:
    """Whether a run came to its end with every cell clean, by its summary."""
    return run.status is RunStatus.FINISHED and CLEAN.issuperset(
        verdict for verdict, cells in run.summary.items() if cells
    )


def oldest(published: Mapping[tuple[str, str], Published], cmc_id: str) -> Published | None:
    """The oldest of a province's snapshots in force."""
    held = [each for (owner, _), each in published.items() if owner == cmc_id]
    return min(held, key=lambda each: each.run, default=None)


def _streak(
    cmc_id: str,
    by_run: Mapping[int, Sequence[Cell]],
    runs: Mapping[int, RunRecord],
    published: Mapping[tuple[str, str], Published],
) -> Streak:
    numbers = sorted(by_run, reverse=True)
    faulty = _faulty_in_a_row(by_run[number] for number in numbers)
    before = numbers[faulty:]
    last = by_run[numbers[0]]
    return Streak(
        cmc_id=cmc_id,
        name=last[0].manifest.province,
        run=numbers[0],
        cells=tuple(last),
        faulty_runs=faulty,
        more=not before,
        clean=runs[before[0]] if before else None,
        oldest=oldest(published, cmc_id),
    )


def _faulty_in_a_row(nights: Iterable[Sequence[Cell]]) -> int:
    faulty = 0
    for cells in nights:
        if all(cell.clean or cell.pending for cell in cells):
            break
        faulty += 1
    return faulty
