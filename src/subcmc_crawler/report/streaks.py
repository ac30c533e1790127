"""Many nights side by side: how long a province has been faulty, and how old what is in force of it has grown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from subcmc_crawler.cellgroups import CellGroup
from subcmc_crawler.model import CLEAN, RunRecord, RunStatus, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """A province over the last runs that came to it.

    `run` is the number of the last such run, `registered` says whether anything of it was to be pulled then.
    `faulty_runs` counts the runs in a row, that one included, in which a cell of it was not clean; `more` says that
    the known past ends there. `clean` is the last run before them. `oldest` is the run of the oldest of its snapshots
    in force, None when it has none.
    """

    cmc_id: str
    name: str
    run: int
    registered: bool
    faulty_runs: int
    more: bool
    clean: RunRecord | None
    oldest: int | None


def streaks(
    groups: Sequence[CellGroup],
    runs: Sequence[RunRecord],
    oldest: Mapping[str, int],
) -> tuple[Streak, ...]:
    """One of each province that has a group, by cmcId; `runs` are those whose groups are given.

    `oldest` are the runs of the oldest snapshots in force. A run
    that left a province out, or a cell without a verdict yet, neither begins nor ends a streak.
    """
    by_number = {run.number: run for run in runs}
    nights: dict[str, dict[int, list[CellGroup]]] = {}
    for group in groups:
        if group.run in by_number:
            nights.setdefault(group.cmc_id, {}).setdefault(group.run, []).append(group)
    found = []
    for cmc_id, by_run in sorted(nights.items()):
        numbers = sorted(by_run, reverse=True)
        in_a_row = _faulty_in_a_row(by_run[number] for number in numbers)
        before, last = numbers[in_a_row:], by_run[numbers[0]]
        streak = Streak(
            cmc_id=cmc_id,
            name=last[0].province,
            run=numbers[0],
            registered=any(group.verdict is not Verdict.UNREGISTERED for group in last),
            faulty_runs=in_a_row,
            more=not before,
            clean=by_number[before[0]] if before else None,
            oldest=oldest.get(cmc_id),
        )
        found.append(streak)
    return tuple(found)


def clean_throughout(run: RunRecord) -> bool:
    """Whether a run came to its end with every cell clean, by its summary."""
    return run.status is RunStatus.FINISHED and CLEAN.issuperset(
        verdict for verdict, cells in run.summary.items() if cells
    )


def _faulty_in_a_row(nights: Iterable[Sequence[CellGroup]]) -> int:
    faulty = 0
    for groups in nights:
        if all(group.clean or group.pending for group in groups):
            break
        faulty += 1
    return faulty
