"""How many workers a night needs, how long it takes, and which resource gives out first. Pure.

What a night costs is taken from past runs (`measure`), and what was never measured from the reference machine, whose
figures are in docs/scale.md; `forecast` scales it to other numbers of centres and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from typing import Final

from subcmc_crawler.model import Manifest

REFERENCE_CPU_ROW: Final = 15e-6
REFERENCE_CPU_CELL: Final = 4.5e-3
"""CPU seconds of the program for a row and for a cell (one dataset of one centre), without mongod."""

REFERENCE_REQUEST_SECONDS: Final = 0.05
REFERENCE_ROW_BYTES: Final = 400.0
REFERENCE_WRITES_PER_SECOND: Final = 40_000.0
"""Documents a second that one mongod takes in, acknowledged and journaled."""

_CLOSING: Final = 2
"""Requests at the end of a pass over several pages: one past the last page, and page 1 once more."""

WRITES_PER_CELL: Final = 4  # manifest begun and settled, end of the pass, a part of the references
WRITES_PER_REQUEST: Final = 2  # page and attempt in the ledger

BASE_MEGABYTES: Final = 70.0
MEGABYTES_PER_CENTRE: Final = 0.05  # registered: settings and credentials
BYTES_PER_ROW: Final = 100.0  # of a walk under way: keys and hashes
PAGE_MEGABYTES: Final = 4.0  # a page under way: body, rows, documents


class Resource(StrEnum):
    """What may give out."""

    PACE = "pace"
    SLOTS = "slots"
    CPU = "cpu"
    LINE = "line"
    MONGODB = "mongodb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a night costs, by its parts. `runs` are those that were looked at, none for the reference machine."""

    runs: tuple[int, ...] = ()
    cpu_runs: tuple[int, ...] = ()  # of these, those whose CPU time is known
    cells_per_centre: float = 9.0
    rows_per_centre: float = 1000.0
    cpu_row: float = REFERENCE_CPU_ROW
    cpu_cell: float = REFERENCE_CPU_CELL
    request_seconds: float = REFERENCE_REQUEST_SECONDS  # of a walk, for each of its requests, without rests
    row_bytes: float = REFERENCE_ROW_BYTES
    writes_per_row: float = 1.0  # versions begun and ended; 1 in a first night


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The night that is asked about, and what the registry allows."""

    centres: int
    rows: int  # of a centre, over all datasets
    window_seconds: float
    max_provinces: int  # at once in one worker
    page_size: int = 1000
    max_in_flight: int = 4
    requests_per_second: float = 0.0  # of a centre; 0: no limit
    line: int = 0  # bytes a second of the run; 0: no limit
    workers: int | None = None  # None: as many as are needed


@dataclass(frozen=True, slots=True)
class Use:
    """One resource: for how long it is in use with that many workers."""

    resource: Resource
    amount: float  # requests of a centre, seconds of slots, CPU seconds, bytes, documents
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A night with `workers` processes, each on a core of its own."""

    workers: int
    seconds: float
    uses: tuple[Use, ...]  # the longest first
    enough: bool  # whether it ends within the window
    requests: int
    rows: int
    bytes: int
    writes: int
    cpu_seconds: float
    worker_megabytes: float

    @property
    def first(self) -> Use:
        """What gives out first when the night grows."""
        return self.uses[0]


def measure(runs: Sequence[tuple[int, float, Sequence[Manifest]]]) -> Measured:
    """What past runs cost: number, CPU seconds (0: unknown) and manifests of each, the newest first.

    CPU time is that of the reference machine for these rows and cells, made larger or smaller by one factor, so that
    the runs whose CPU time is known come out as they were.
    """
    walked = [(number, cpu, [cell for cell in cells if cell.attempts]) for number, cpu, cells in runs]
    cells = [cell for _, _, each in walked for cell in each]
    rows = sum(cell.counts.received for cell in cells)
    attempts = sum(cell.attempts for cell in cells)
    if not attempts or not rows:
        return Measured()
    known = [(number, cpu, each) for number, cpu, each in walked if cpu > 0 and each]
    spent = sum(cpu for _, cpu, _ in known)
    expected = sum(
        REFERENCE_CPU_CELL + REFERENCE_CPU_ROW * cell.counts.received for _, _, each in known for cell in each
    )
    factor = spent / expected if expected else 1.0
    latest = next(each for _, _, each in walked if each)
    written = sum(cell.counts.added + 2 * cell.counts.changed + cell.counts.removed for cell in latest)
    latest_rows = sum(cell.counts.received for cell in latest)
    centres = len({cell.cmc_id for cell in latest})
    return Measured(
        runs=tuple(number for number, _, each in walked if each),
        cpu_runs=tuple(number for number, _, _ in known),
        cells_per_centre=len(latest) / centres,
        rows_per_centre=max(1.0, latest_rows / centres),
        cpu_row=REFERENCE_CPU_ROW * factor,
        cpu_cell=REFERENCE_CPU_CELL * factor,
        request_seconds=sum(max(0.0, cell.seconds - cell.rest_seconds) for cell in cells) / attempts,
        row_bytes=sum(cell.bytes for cell in cells) / rows,
        writes_per_row=written / latest_rows if latest_rows else 1.0,
    )


def forecast(measured: Measured, wanted: Wanted) -> Forecast:
    """The night that is wanted, with the fewest workers that end it within its window, at least one.

    A night lasts as long as its longest use:

    ========  ========================================================================  ==================
    pace      requests of a centre, by its requests a second, or by what one takes      workers do not help
    slots     centres, each as long as its pace, `max_provinces` at once in a worker    shared by workers
    cpu       rows and cells, by what each takes                                        shared by workers
    line      bytes, by the limit of the run                                            workers do not help
    mongodb   documents written, by what one mongod takes in                            workers do not help
    ========  ========================================================================  ==================

    Where what workers do not help with takes longer than the window, no number of them is enough, and the number
    given is that which would be for the rest.
    """
    cells = measured.cells_per_centre
    pages = max(1, ceil(wanted.rows / cells / wanted.page_size))  # of a dataset
    requests = ceil(cells * (pages if pages == 1 else pages + _CLOSING))
    paced = requests / wanted.requests_per_second if wanted.requests_per_second else 0.0
    pace = max(paced, requests * measured.request_seconds)
    rows = wanted.centres * wanted.rows
    cpu = rows * measured.cpu_row + wanted.centres * cells * measured.cpu_cell
    writes = rows * measured.writes_per_row + wanted.centres * (
        cells * WRITES_PER_CELL + requests * WRITES_PER_REQUEST
    )
    total_bytes = rows * measured.row_bytes
    fixed = [
        Use(Resource.PACE, requests, pace),
        Use(Resource.LINE, total_bytes, total_bytes / wanted.line if wanted.line else 0.0),
        Use(Resource.MONGODB, writes, writes / REFERENCE_WRITES_PER_SECOND),
    ]
    shared = [
        Use(Resource.SLOTS, wanted.centres * pace, wanted.centres * pace / wanted.max_provinces),
        Use(Resource.CPU, cpu, cpu),
    ]
    needed = max(1, *(ceil(use.seconds / wanted.window_seconds) for use in shared))
    workers = wanted.workers or needed
    divided = [replace(use, seconds=use.seconds / workers) for use in shared]
    uses = tuple(sorted([*fixed, *divided], key=lambda use: -use.seconds))
    at_once = min(wanted.max_provinces, ceil(wanted.centres / workers))
    in_walk = wanted.rows * BYTES_PER_ROW / 1e6 + wanted.max_in_flight * PAGE_MEGABYTES * min(
        1.0, pages / cells
    )
    return Forecast(
        workers=workers,
        seconds=uses[0].seconds,
        uses=uses,
        enough=uses[0].seconds <= wanted.window_seconds,
        requests=wanted.centres * requests,
        rows=rows,
        bytes=round(total_bytes),
        writes=round(writes),
        cpu_seconds=cpu,
        worker_megabytes=BASE_MEGABYTES + wanted.centres * MEGABYTES_PER_CENTRE + at_once * in_walk,
    )
