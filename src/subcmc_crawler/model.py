"""The nouns of a night as frozen types. Pure: no IO, no event loop, no driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

OPEN_END: Final = 2**63 - 1
"""The `to` of a version that still holds: the largest int64."""


class Verdict(StrEnum):
    """What a reconciliation says; the numbers of `reconcile.verdict()` in its order."""

    UNREGISTERED = "unregistered"
    INCOMPLETE = "incomplete"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    STORE_MISMATCH = "store-mismatch"
    SHORT = "short"
    SURPLUS = "surplus"
    DRIFTING = "drifting"
    SHRUNK = "shrunk"
    DUPLICATED = "duplicated"
    REPAIRED = "repaired"
    PROVEN = "proven"


CLEAN: Final = frozenset({Verdict.PROVEN, Verdict.REPAIRED, Verdict.DUPLICATED, Verdict.UNREGISTERED})
"""Verdicts that leave a run clean (exit 0): published, or nothing was to be pulled."""


class State(StrEnum):
    """Where a snapshot stands. Readers see `PUBLISHED` alone."""

    COLLECTING = "collecting"
    PUBLISHED = "published"
    HELD = "held"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    NONE = "none"


ARRIVED: Final = frozenset({State.PUBLISHED, State.NONE})
"""States in which a clean verdict leaves a run clean: the snapshot did not get stuck on its way."""


class Ending(StrEnum):
    """Why a pass stopped. A value, not an exception."""

    CLEAN = "clean"
    MOVED = "moved"  # total, or the keys of page 1, changed while we walked
    MISCOUNTED = "miscounted"  # the rows do not add up to a steady total
    REPEATING = "repeating"  # keys repeated although total and page 1 held still
    LOOPING = "looping"  # another page number gave the same page again
    UNDECLARED = "undeclared"  # no usable total: nothing to prove against
    FAILED = "failed"  # a page could not be had
    STOPPED = "stopped"  # the window closed or the run was stopped


class RunStatus(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of one walk side by side (design, section 2). All are rows."""

    declared: int | None = None
    declared_first: int | None = None
    received: int = 0
    distinct: int = 0
    repeated: int = 0
    conflicting: int = 0
    quarantined: int = 0
    flagged: int = 0
    stored: int | None = None
    pushed: int | None = None
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0

    @property
    def missing(self) -> int | None:
        """Rows declared and not received; negative for a surplus, None when nothing was declared."""
        return None if self.declared is None else self.declared - self.received

    def imbalances(self) -> tuple[str, ...]:
        """The equations of the design that do not hold; empty for every walk that ends."""
        found = []
        if self.received != self.distinct + self.repeated + self.conflicting + self.quarantined:
            found.append("received != distinct + repeated + conflicting + quarantined")
        if self.distinct != self.added + self.changed + self.unchanged:
            found.append("distinct != added + changed + unchanged")
        if self.stored is not None and self.stored != self.distinct:
            found.append("stored != distinct")
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBreak:
    """One rule of one field, the rows that broke it and a few masked samples."""

    field: str
    rule: str
    rows: int
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Who published a held snapshot by hand, when and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One snapshot: a (run, province, dataset) with everything that is known of its walk."""

    run: int
    cmc_id: str
    province: str
    dataset: str
    state: State
    verdict: Verdict | None = None
    reason: str = ""
    reason_code: str = ""  # a stable word for `reason`: `reconcile.Why`
    reason_values: Mapping[str, int | str] = field(default_factory=dict)  # what the words of the code tell
    counts: Counts = Counts()
    base: int | None = None  # the run of the published snapshot that this one was compared with
    passes: int = 0
    stored_pass: int | None = None  # the pass whose rows the snapshot holds
    like_run: int | None = (
        None  # the run by whose pages the ledger tells the order; None: it stands by itself
    )
    like_pass: int | None = None
    endings: tuple[str, ...] = ()  # one for each pass
    pages: int = 0  # pages of the stored pass
    attempts: int = 0  # requests over all passes
    bytes: int = 0  # body bytes over all attempts, decoded
    seconds: float = 0.0
    address: str | None = None
    dead_addresses: tuple[str, ...] = ()  # those given up in this run, each with its fault
    page_size: int | None = None  # in force at the end of the last pass
    clamped: bool = False  # the province cut the page size that was asked for
    digest: str | None = None
    collect_time_min: int | None = None  # epoch milliseconds
    collect_time_max: int | None = None
    rules: tuple[RuleBreak, ...] = ()
    drift: Mapping[str, int] = field(default_factory=dict)  # unknown field -> rows
    deviations: Mapping[str, int] = field(default_factory=dict)  # envelope deviation -> pages
    faults: Mapping[str, int] = field(default_factory=dict)  # fault kind -> attempts
    rest_seconds: float = 0.0  # cool-downs
    slowest_rate: float | None = None  # requests a second at the slowest moment, None when never slowed down
    started_at: datetime | None = None
    finished_at: datetime | None = None
    accepted: Acceptance | None = None


@dataclass(frozen=True, slots=True)
class DifferingKey:
    """A record that was pushed otherwise than it was pulled; `key` is masked."""

    key: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the ministry's own platform holds of one dataset of a province (4.1), beside a snapshot of it.

    Counts are keys. Those of the differences are None when there was nothing to compare: no snapshot, or the
    query interface could not be walked to its end. Sample keys are masked and few; the counts tell how many.
    """

    run: int
    cmc_id: str
    province: str
    dataset: str
    snapshot: int | None = None  # the run whose snapshot was compared: this one's, else the one in force
    digest: str | None = None  # of that snapshot
    declared: int | None = None  # what the query interface says that it holds
    pushed: int | None = None  # distinct keys that it holds, None when it could not be walked
    pulled: int | None = None  # distinct keys of the snapshot
    equal: int | None = None
    differing: int | None = None
    only_pushed: int | None = None
    only_pulled: int | None = None
    unusable: int = 0  # pushed rows without a usable key
    foreign: int = 0  # pushed rows that carry another cmcId, which are not compared
    fields: Mapping[str, int] = field(default_factory=dict)  # field -> keys that differ in it
    differing_keys: tuple[DifferingKey, ...] = ()
    only_pushed_keys: tuple[str, ...] = ()
    only_pulled_keys: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()  # one for each pass over the query interface
    fault: str = ""  # kind of the fault that ended it, empty when there was none
    detail: str = ""
    pages: int = 0
    attempts: int = 0
    seconds: float = 0.0
    at: datetime | None = None  # when it was over

    @property
    def compared(self) -> bool:
        """Whether there were two sides to compare."""
        return self.differing is not None

    @property
    def same(self) -> bool:
        """Whether both sides hold the same records."""
        return self.compared and not (self.differing or self.only_pushed or self.only_pulled)

    @property
    def sure(self) -> bool:
        """Whether the query interface gave as many rows as it declares, and held still meanwhile."""
        return self.endings[-1:] in ((Ending.CLEAN.value,), (Ending.REPEATING.value,))


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a run: of the provinces in the order of the schedule every `count`th, from the `index`th on."""

    index: int  # from 1
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that "2/3" names; ValueError says what is wrong."""
        index, slash, count = text.partition("/")
        digits = all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in (index, count))
        if not slash or not digits or not 1 <= int(index) <= int(count):
            raise ValueError('a shard is written "2/3": the second of three')
        return cls(int(index), int(count))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """How a run is divided among processes, each of which begins, ends or is stopped by itself."""

    count: int
    registry: str  # the digest of the registry that all of them read
    order: tuple[str, ...]  # cmcIds as ranked by the schedule when the run began
    joined: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()
    stopped: tuple[int, ...] = ()

    def of(self, shard: Shard) -> tuple[str, ...]:
        """The cmcIds that one of them pulls."""
        return self.order[shard.index - 1 :: self.count]

    @property
    def all_left(self) -> bool:
        """Whether none is left to wait for."""
        return len({*self.ended, *self.stopped}) == self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One nightly run."""

    number: int
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None = None
    summary: Mapping[str, int] = field(default_factory=dict)  # verdict -> cells
    selection: tuple[str, ...] = ()  # what `--province` and `--dataset` named; empty for a whole night
    registry: str = ""  # where the registry was read from
    version: str = ""  # of this package
    notices: tuple[str, ...] = ()  # lines that every report repeats, for example verify = false
    alerted_at: datetime | None = None  # when somebody took it upon himself to send its digest
    shards: Shards | None = None  # None: one process pulled all of it
    cpu_seconds: float = 0.0  # of all processes that were at work on it, once they have ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One HTTP request and how it ended: one row of the ledger."""

    walk_pass: int
    page_num: int
    page_size: int
    number: int  # 1 for the first try of this page
    address: str
    status: int | None  # HTTP status, None when no answer came
    fault: str | None  # the kind of the fault, None when the page was good
    detail: str
    bytes: int
    milliseconds: float
    at: datetime
    rest_seconds: float = 0.0  # what we waited after it


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRecord:
    """What the ledger keeps of a page beside its keys: `ordinal` counts the pages of the pass, from 0."""

    walk_pass: int
    ordinal: int
    page_num: int
    page_size: int  # asked for
    bytes: int  # of the decoded body
    milliseconds: float
    tries: int
    at: datetime
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredCount:
    """What a province declared of a dataset when it was asked for one row; `fault` says why it did not."""

    cmc_id: str
    province: str
    dataset: str
    registered: bool = True  # False: no address, or switched off; then nobody was asked
    declared: int | None = None
    fault: str = ""  # kind of the fault; empty for an answer, also for one without a usable total
    detail: str = ""

    @property
    def failed(self) -> bool:
        """Whether a number was asked for and did not come."""
        return self.registered and self.declared is None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedKey:
    """A record and what it names, both masked; `named` is empty for a value that can be no key."""

    key: str
    named: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceCount:
    """How many records of `dataset` name in `field` a record of `target` that is not there.

    `records = absent + sound + dangling`. `as_of` and `target_as_of` are the runs whose snapshots were held
    against each other, each None where there is none: then nothing was counted. `late` are the records served
    before the one they name (2.2.1), None where no order is asked for or the pages are not known.
    """

    dataset: str
    field: str
    target: str
    as_of: int | None
    target_as_of: int | None
    records: int = 0
    absent: int = 0  # name nothing: no value, or a "has none" of 1.3.5
    dangling: int = 0  # name at least one record that is not there
    samples: tuple[NamedKey, ...] = ()
    late: int | None = None
    late_samples: tuple[NamedKey, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether there were two snapshots to hold against each other."""
        return self.as_of is not None and self.target_as_of is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """What the references between the datasets of one province come to, as of a run. They change no verdict."""

    run: int
    cmc_id: str
    counts: tuple[ReferenceCount, ...]

    def of(self, dataset: str) -> tuple[ReferenceCount, ...]:
        """The counts of the fields of one dataset."""
        return tuple(count for count in self.counts if count.dataset == dataset)
